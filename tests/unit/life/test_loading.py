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
from xenlab.life.drivers import LOAD, load_drivers
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
UNBEGUN, GIVEN_UP = (1, 1), (1, 5)
NETBACK, NETFRONT = "xen_netback", "xen_netfront"
LIVE = "live"
BOTH = {(DOM0, NETBACK): LIVE, ("alice", NETFRONT): LIVE, ("bob", NETFRONT): LIVE}
BACK = {(DOM0, NETBACK): LIVE}
NO_INIT = "insmod: ERROR: could not insert module x.ko: Operation not permitted"
NO_ROOM = "insmod: ERROR: could not insert module x.ko: Cannot allocate memory"
NO_DEVICE = 'Cannot find device "vif1.0"'


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What there is to be seen once something went wrong.

    `states` are those of every vif's frontend and backend, None where there is no xenstore;
    `modules` how far a node has come with one; `said` what a program says as it fails.
    """

    states: tuple[int, int] | None = None
    modules: dict[tuple[str, str], str] = field(default_factory=lambda: dict(BOTH))
    said: dict[str, str] = field(default_factory=dict)
    online: int = 1
    plugged: str = "connected"
    attached: bool = True


UNSEEN = Scene()


@dataclass(frozen=True)
class Steps:
    """A shell whose steps all succeed but for those of which an error is known.

    A step is a file that is brought, or a program and what it is given.
    """

    where: str
    errors: dict[tuple[str, str], LabError]
    scene: Scene
    told: list[tuple[str, ...]] = field(default_factory=list)

    def run(self, argv: Sequence[str], *, deadline: Deadline, stdin: bytes = b"") -> CommandResult:
        assert deadline.remaining_s > len(stdin)
        self.told.append((self.where, *argv))
        self._take(argv[0])
        return self._end(argv, stderr=self.scene.said.get(argv[0], ""))

    def run_script(self, _script: str, *words: str, deadline: Deadline) -> CommandResult:
        assert deadline.remaining_s > 0
        module = words[0].removeprefix("/sys/module/")
        if module != words[0]:
            self._take(module)
            return self._end(words, self.scene.modules.get((self.where, module), ""))
        if self.scene.states is None:
            raise LabError("there is no xenstore")
        front, back = self.scene.states
        told = (f'{path}/state = "{back if "backend" in path else front}"\n' for path in words)
        keys = {"online": self.scene.online, "hotplug-status": self.scene.plugged}
        own = (f'{words[0]}/{key} = "{value}"\n' for key, value in keys.items())
        return self._end(words, "".join((*own, *told)) if self.scene.attached else "")

    def write_file(self, path: str, content: bytes, *, deadline: Deadline) -> None:
        assert path.endswith(".ko")
        assert content
        assert deadline.remaining_s > 0
        self._take("push")

    def _end(self, argv: Sequence[str], told: str = "", stderr: str = "") -> CommandResult:
        return CommandResult(
            where=self.where, argv=tuple(argv), status=1 if stderr else 0, stdout=told.encode(),
            stderr=stderr.encode(), elapsed_s=0.0,
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
    """A lab whose nodes have answered, on a host a hundred times as fast as an ordinary one."""

    plan: LabPlan
    errors: dict[tuple[str, str], LabError]
    scene: Scene
    machine: Machine = field(default_factory=Machine)
    slowness_factor: float = 1.0
    told: list[tuple[str, ...]] = field(default_factory=list)

    def shell(self, node: str, _deadline: Deadline) -> Steps:
        if (node, "shell") in self.errors:
            raise self.errors[node, "shell"]
        return Steps(node, self.errors, self.scene, self.told)

    @staticmethod
    def budget(seconds: float) -> Deadline:
        return Deadline.after(seconds / 100)

    def slowness(self) -> float:
        return self.slowness_factor

    @staticmethod
    def domid(node: str) -> int:
        return [DOM0, "alice", "bob"].index(node)

    def vif(self, node: str, index: int) -> str:
        return f"vif{self.domid(node)}.{index}"


def load(
    tmp_path: Path,
    node: str,
    errors: dict[tuple[str, str], LabError],
    scene: Scene = UNSEEN,
) -> None:
    """Load a driver under test in one node of a lab where those steps fail."""
    plan = plan_lab(load_topology("pair"))
    drivers = provide(tmp_path, node, plan)
    phases = Phases(watcher=open_progress(StringIO()))
    lab = cast(Lab, Bare(plan, errors, scene))
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
        (DOM0, ("bob", "connect-vifs")),
    ],
)
def test_driver_that_is_loaded_and_seen_not_to_connect_is_to_blame(
    tmp_path: Path, under_test: str, step: tuple[str, str], error: LabError
) -> None:
    with pytest.raises(DriverFailed) as raised:
        load(tmp_path, under_test, {step: error}, Scene(states=WAITING))

    assert f"vifs do not carry packets with {under_test}: x aa" in raised.value.what
    assert error.what in raised.value.what
    state = "alice eth0 (vif1.0): frontend Initialising(1), backend InitWait(2)"
    assert state in raised.value.what


def test_vif_that_is_connected_and_does_not_forward_is_seen(tmp_path: Path) -> None:
    with pytest.raises(DriverFailed):
        load(tmp_path, "alice", {(DOM0, "await-vifs"): REFUSED}, Scene(states=CONNECTED))


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
        load(tmp_path, "alice", errors, Scene(states=states))

    assert raised.value is next(iter(errors.values()))


@pytest.mark.parametrize("error", [REFUSED, LATE])
@pytest.mark.parametrize(
    "scene",
    [
        Scene(modules={}, said={"insmod": NO_INIT}),
        Scene(modules={(DOM0, NETBACK): "coming"}),
        Scene(modules=BACK, states=UNBEGUN),
        Scene(modules=BACK, states=GIVEN_UP),
        Scene(modules=BACK, states=WAITING, said={"ip": NO_DEVICE}),
    ],
)
def test_netback_is_to_blame_for_what_it_is_seen_not_to_do_before_there_is_a_netfront(
    tmp_path: Path, scene: Scene, error: LabError
) -> None:
    with pytest.raises(DriverFailed) as raised:
        load(tmp_path, DOM0, {(DOM0, "connect-vifs"): error}, scene)

    assert f"with {DOM0}: x aa" in raised.value.what
    assert raised.value.phase == LOAD[DriverKind.NETBACK]


@pytest.mark.parametrize("error", [REFUSED, LATE])
@pytest.mark.parametrize(
    "scene",
    [
        Scene(modules={}),
        Scene(modules={}, states=UNBEGUN),
        Scene(modules={}, said={"insmod": NO_ROOM}),
        Scene(modules=BACK, attached=False, states=WAITING),
        Scene(modules=BACK, states=UNBEGUN, online=0),
        Scene(modules=BACK, states=GIVEN_UP, online=0),
        Scene(modules=BACK, states=(6, 6)),
        Scene(modules=BACK, states=WAITING),
        Scene(
            modules=BACK, states=WAITING, said={"ip": "RTNETLINK answers: Cannot allocate memory"}
        ),
        Scene(modules=BACK, states=None),
    ],
)
def test_netback_is_not_to_blame_for_a_toolstack_without_memory_patience_or_a_hotplug_program(
    tmp_path: Path, scene: Scene, error: LabError
) -> None:
    with pytest.raises(LabError) as raised:
        load(tmp_path, DOM0, {(DOM0, "connect-vifs"): error}, scene)

    assert raised.value is error


@pytest.mark.parametrize(
    ("under_test", "step", "scene"),
    [
        (DOM0, ("bob", "connect-vifs"), Scene(modules=BACK, states=WAITING)),
        (DOM0, ("alice", "connect-vifs"), Scene(states=CONNECTED)),
        ("alice", ("alice", "connect-vifs"), Scene(modules=BACK, states=WAITING)),
        ("alice", ("alice", "connect-vifs"), Scene(states=UNBEGUN)),
        ("alice", (DOM0, "await-vifs"), Scene(states=(4, 2), plugged="")),
        (DOM0, (DOM0, "await-vifs"), Scene(states=(4, 2), plugged="error")),
        ("alice", ("alice", "connect-vifs"), Scene(modules=BACK, said={"insmod": NO_ROOM})),
    ],
)
def test_driver_is_not_to_blame_where_the_other_end_is_not_there(
    tmp_path: Path, under_test: str, step: tuple[str, str], scene: Scene
) -> None:
    with pytest.raises(LabError) as raised:
        load(tmp_path, under_test, {step: REFUSED}, scene)

    assert raised.value is REFUSED


def test_silence_about_a_module_shows_nothing(tmp_path: Path) -> None:
    errors = {(DOM0, "connect-vifs"): REFUSED, (DOM0, NETBACK): LATE}
    with pytest.raises(CommandFailed):
        load(tmp_path, DOM0, errors, Scene(states=UNBEGUN))


def test_netfront_that_does_not_load_is_to_blame(tmp_path: Path) -> None:
    scene = Scene(modules=BACK, states=WAITING, said={"insmod": NO_INIT})
    with pytest.raises(DriverFailed):
        load(tmp_path, "alice", {("alice", "connect-vifs"): REFUSED}, scene)


@pytest.mark.parametrize(
    ("error", "kind"), [(REFUSED, DriverFailed), (LATE, WaitTimedOut), (LOST, ConnectionLost)]
)
def test_ping_that_was_answered_by_nobody_is_seen_and_a_silence_is_not(
    tmp_path: Path, error: LabError, kind: type[Exception]
) -> None:
    plan = plan_lab(load_topology("pair"))
    lab = cast(Lab, Bare(plan, {}, Scene(states=CONNECTED)))

    with pytest.raises(kind), blaming_drivers(lab, provide(tmp_path, "alice", plan), PING):
        raise error


@pytest.mark.parametrize("slowness", [1.0, 5.0])
def test_nodes_of_a_slow_host_are_given_the_time_that_it_takes(
    tmp_path: Path, slowness: float
) -> None:
    plan = plan_lab(load_topology("pair"))
    bare = Bare(plan, {(DOM0, "await-vifs"): LOST}, UNSEEN, slowness_factor=slowness)
    phases = Phases(watcher=open_progress(StringIO()))
    drivers = provide(tmp_path, "alice", plan)
    with pytest.raises(ConnectionLost):
        load_drivers(cast(Lab, bare), drivers, phases, Deadline.after(3600.0), connected=False)

    patience_s = {tuple(told[:3]): int(told[3]) for told in bare.told if "-t" in told}
    taking_up, forwarding = 44 * slowness, 59 * slowness
    assert patience_s.keys() == {
        ("alice", "connect-vifs", "-t"), ("bob", "connect-vifs", "-t"), (DOM0, "await-vifs", "-t")
    }  # fmt: skip
    for (_, program, _), seconds in patience_s.items():
        wanted = taking_up if program == "connect-vifs" else forwarding
        assert wanted <= seconds <= wanted + slowness
    assert (DOM0, "connect-vifs") in bare.told
