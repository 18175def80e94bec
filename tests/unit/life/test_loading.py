"""Whose fault it is that a lab gets no vifs: a driver's under test once that is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import cast

import pytest

from xenlab.errors import (
    CommandFailed,
    ConnectionLost,
    DriverFailed,
    GuestLost,
    LabError,
    WaitTimedOut,
)
from xenlab.kernel.driver import Driver, DriverKind
from xenlab.kernel.module_file import ModuleFile
from xenlab.lab import Lab
from xenlab.life.blame import PING, blaming_drivers
from xenlab.life.drivers import load_drivers
from xenlab.life.phases import Phases
from xenlab.plan.model import DOM0, LabPlan
from xenlab.plan.planner import plan_lab
from xenlab.report.progress import open_progress
from xenlab.topology.loading import load_topology
from xenlab.transport.shell import CommandResult
from xenlab.waiting import Deadline

LOST = ConnectionLost("the channel broke")
REFUSED = CommandFailed("it returned 1")
LATE = WaitTimedOut("it did not end in time")
CONNECTED, WAITING = (4, 4), (1, 2)  # XenbusState of frontend and backend


@dataclass(frozen=True)
class Steps:
    """A shell whose steps all succeed but for those of which an error is known.

    A step is a file that is brought, or a program and what it is given. `states` are those of
    every vif's frontend and backend; None where there is no xenstore.
    """

    where: str
    errors: dict[tuple[str, str], LabError]
    states: tuple[int, int] | None = None

    def run(self, argv: Sequence[str], *, deadline: Deadline, stdin: bytes = b"") -> CommandResult:
        assert deadline.remaining_s > len(stdin)
        self._take(argv[0])
        return self._end(argv)

    def run_script(self, _script: str, *words: str, deadline: Deadline) -> CommandResult:
        assert deadline.remaining_s > 0
        if self.states is None:
            raise LabError("there is no xenstore")
        front, back = self.states
        told = (f'{path}/state = "{back if "backend" in path else front}"\n' for path in words)
        return self._end(words, "".join(told))

    def write_file(self, path: str, content: bytes, *, deadline: Deadline) -> None:
        assert path.endswith(".ko")
        assert content
        assert deadline.remaining_s > 0
        self._take("push")

    def _end(self, argv: Sequence[str], told: str = "") -> CommandResult:
        return CommandResult(
            where=self.where, argv=tuple(argv), status=0, stdout=told.encode(), stderr=b"",
            elapsed_s=0.0,
        )  # fmt: skip

    def _take(self, step: str) -> None:
        if (self.where, step) in self.errors:
            raise self.errors[self.where, step]


@dataclass(frozen=True)
class Machine:
    """It runs."""

    def require_running(self) -> None:
        """It does."""


@dataclass(frozen=True)
class Bare:
    """A lab whose nodes have answered, and whose vifs have got as far as these states."""

    plan: LabPlan
    errors: dict[tuple[str, str], LabError]
    states: tuple[int, int] | None = None
    machine: Machine = field(default_factory=Machine)

    def shell(self, node: str, _deadline: Deadline) -> Steps:
        if (node, "shell") in self.errors:
            raise self.errors[node, "shell"]
        return Steps(node, self.errors, self.states)

    @staticmethod
    def budget(seconds: float) -> Deadline:
        return Deadline.after(seconds)

    @staticmethod
    def slowness() -> float:
        return 1.0

    @staticmethod
    def domid(node: str) -> int:
        return [DOM0, "alice", "bob"].index(node)

    def vif(self, node: str, index: int) -> str:
        return f"vif{self.domid(node)}.{index}"


def load(
    tmp_path: Path,
    node: str,
    errors: dict[tuple[str, str], LabError],
    states: tuple[int, int] | None = None,
) -> None:
    """Load a driver under test in one node of a lab where those steps fail."""
    plan = plan_lab(load_topology("pair"))
    drivers = provide(tmp_path, node, plan)
    phases = Phases(watcher=open_progress(StringIO()))
    lab = cast(Lab, Bare(plan, errors, states))
    load_drivers(lab, drivers, phases, Deadline.after(60.0), connected=False)


def provide(tmp_path: Path, node: str, plan: LabPlan) -> dict[str, Driver]:
    """The drivers of all nodes, of which one's is under test."""
    path = tmp_path / "x.ko"
    path.write_bytes(b"x")
    kind = DriverKind.NETBACK if node == DOM0 else DriverKind.NETFRONT
    file = ModuleFile(path=path, name=kind.module, release="6.1", build_id="aa")
    return {
        name: Driver(kind=kind, name="x", build_id="aa", file=file if name == node else None)
        for name in plan.domain_names
    }


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (("alice", "push"), LOST),
        (("bob", "shell"), LOST),
        ((DOM0, "connect-vifs"), LOST),
        ((DOM0, "connect-vifs"), GuestLost("the machine is gone")),
    ],
)
def test_driver_that_is_not_loaded_yet_is_not_to_blame(
    tmp_path: Path, step: tuple[str, str], error: LabError
) -> None:
    with pytest.raises(type(error)):
        load(tmp_path, "alice", {step: error})


@pytest.mark.parametrize("error", [REFUSED, LATE])
@pytest.mark.parametrize(
    ("under_test", "step"),
    [
        ("alice", ("alice", "connect-vifs")),
        ("alice", (DOM0, "await-vifs")),
        (DOM0, (DOM0, "connect-vifs")),
        (DOM0, ("bob", "connect-vifs")),
    ],
)
def test_driver_that_is_loaded_and_seen_not_to_connect_is_to_blame(
    tmp_path: Path, under_test: str, step: tuple[str, str], error: LabError
) -> None:
    with pytest.raises(DriverFailed) as raised:
        load(tmp_path, under_test, {step: error}, WAITING)

    assert f"vifs do not carry packets with {under_test}: x aa" in raised.value.what
    assert error.what in raised.value.what
    state = "alice eth0 (vif1.0): frontend Initialising(1), backend InitWait(2)"
    assert state in raised.value.what


def test_vif_that_is_connected_and_does_not_forward_is_seen(tmp_path: Path) -> None:
    with pytest.raises(DriverFailed):
        load(tmp_path, "alice", {(DOM0, "await-vifs"): REFUSED}, CONNECTED)


@pytest.mark.parametrize(
    ("errors", "states"),
    [
        ({("alice", "connect-vifs"): LOST}, WAITING),
        ({("bob", "connect-vifs"): LOST}, WAITING),
        ({("alice", "connect-vifs"): LabError("who knows")}, WAITING),
        ({("alice", "connect-vifs"): LATE}, CONNECTED),
        ({("bob", "connect-vifs"): REFUSED}, CONNECTED),
        ({("alice", "connect-vifs"): LATE, ("alice", "true"): LATE}, WAITING),
        ({("alice", "connect-vifs"): LATE, ("alice", "true"): LOST}, WAITING),
        ({("alice", "connect-vifs"): LATE}, None),
        ({(DOM0, "await-vifs"): LATE}, CONNECTED),
    ],
)
def test_driver_of_which_nothing_is_seen_is_not_to_blame(
    tmp_path: Path, errors: dict[tuple[str, str], LabError], states: tuple[int, int] | None
) -> None:
    with pytest.raises(LabError) as raised:
        load(tmp_path, "alice", errors, states)

    assert raised.value is next(iter(errors.values()))


@pytest.mark.parametrize(
    ("error", "kind"), [(REFUSED, DriverFailed), (LATE, WaitTimedOut), (LOST, ConnectionLost)]
)
def test_ping_that_was_answered_by_nobody_is_seen_and_a_silence_is_not(
    tmp_path: Path, error: LabError, kind: type[Exception]
) -> None:
    plan = plan_lab(load_topology("pair"))
    lab = cast(Lab, Bare(plan, {}, CONNECTED))

    with pytest.raises(kind), blaming_drivers(lab, provide(tmp_path, "alice", plan), PING):
        raise error
