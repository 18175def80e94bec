"""TurnWatch: what consoles show is told of the side whose drivers were loaded when it came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.unit.traffic.test_vigil import Consoles
from xenlab.errors import (
    ConnectionLost,
    DriverFailed,
    GuestLost,
    KernelFault,
    LabError,
    MeasurementError,
    WaitTimedOut,
    XenlabError,
)
from xenlab.measure.contest import BASE, PATCHED
from xenlab.plan.planner import plan_lab
from xenlab.topology.loading import load_topology
from xenlab.traffic.turn_watch import SPENT, TurnWatch, watching_turns
from xenlab.transport.shell import CommandResult
from xenlab.verdict.outcome import Outcome
from xenlab.waiting import Deadline

OLD = b"[    1.000000] WARNING: CPU: 0 PID: 1 at net/core/dev.c:1 dev_open+0x1/0x2\n"
WARNING = b"[    9.000000] WARNING: CPU: 0 PID: 7 at kernel/module.c:1 rmmod_it+0x1/0x2\n"
OOPS = b"[    9.500000] BUG: kernel NULL pointer dereference, address: 0000000000000000\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogShell:
    """A node whose kernel log can be written to, and comes out on its console.

    Whatever else it runs it answers with the command's own words.
    """

    lab: Silent
    node: str

    def run(self, argv: Sequence[str], *, deadline: Deadline) -> CommandResult:
        assert deadline.remaining_s > 0
        return CommandResult(
            where=self.node, argv=tuple(argv), status=0, stdout=" ".join(argv).encode(), stderr=b"",
            elapsed_s=0.0,
        )  # fmt: skip

    def run_script(self, _script: str, *records: str, deadline: Deadline) -> CommandResult:
        assert deadline.remaining_s > 0
        late = self.lab.late.pop(self.node, b"")
        said = late + "".join(f"[   99.000000] {each[3:]}\n" for each in records).encode()
        if self.node not in self.lab.quiet:
            self.lab.said[self.node] = self.lab.said.get(self.node, b"") + said
        return CommandResult(
            where=self.node, argv=records, status=0, stdout=b"", stderr=b"", elapsed_s=0.0
        )


@dataclass(slots=True, kw_only=True)
class Silent(Consoles):
    """Its nodes can be lost, and the machine below them; what waits for a crash ends by it.

    What is `late` was said, and comes out only before what is said next.
    """

    broken: XenlabError | None = None
    forsaken: list[str] = field(default_factory=list)
    delay_ms: int = 0
    late: dict[str, bytes] = field(default_factory=dict)
    quiet: tuple[str, ...] = ()

    def shell(self, node: str) -> LogShell:
        return LogShell(lab=self, node=node)

    @staticmethod
    def budget(seconds: float) -> Deadline:
        """Nothing here takes any time."""
        return Deadline.after(seconds / 100)

    def host_delay_ms(self) -> int:
        return self.delay_ms

    def require_machine(self) -> None:
        if self.broken is not None:
            raise self.broken

    @staticmethod
    def vif(_domu: str, index: int) -> str:
        return f"vif1.{index}"

    def forsake(self, node: str, _fault: KernelFault) -> None:
        self.forsaken.append(node)

    @staticmethod
    def debug_files(_node: str) -> dict[str, Path]:
        """Nothing here was built with any."""
        return {}


@pytest.fixture
def lab() -> Silent:
    return Silent(plan=plan_lab(load_topology("pair")), said={"dom0": OLD})


def test_what_was_said_before_is_nobodys(watch: TurnWatch) -> None:
    watch.end_turn()
    watch.pass_to(BASE)
    watch.end_turn()

    told = watch.account(None)

    assert (told.verdicts, told.trouble, watch.base_turns) == ((), "", 1)


def test_what_comes_behind_the_kept_consoles_is_told_though_nobody_watched_yet(
    lab: Silent,
) -> None:
    kept = {node: len(lab.console_bytes(node)) for node in lab.plan.node_names}
    lab.say(OOPS)

    with watching_turns(lab, kept) as watch, pytest.raises(KernelFault):  # type: ignore[arg-type]
        watch.end_turn()

    assert [each.outcome for each in watch.account(None).verdicts] == [Outcome.CRASH]


def test_warning_while_the_base_goes_is_no_fault_of_the_patch(
    lab: Silent, watch: TurnWatch
) -> None:
    watch.pass_to(BASE)
    watch.end_turn()
    lab.say(WARNING)
    watch.pass_to(PATCHED)

    told = watch.account(None)

    assert told.verdicts == ()
    assert "rmmod_it" in told.trouble
    assert SPENT not in told.trouble


def test_warning_while_the_base_comes_is_no_fault_of_the_patch(
    lab: Silent, watch: TurnWatch
) -> None:
    watch.pass_to(BASE)
    lab.say(WARNING)
    watch.end_turn()
    watch.pass_to(PATCHED)

    told = watch.account(None)

    assert told.verdicts == ()
    assert "rmmod_it" in told.trouble


@pytest.mark.parametrize("goes", [PATCHED, BASE])
def test_what_comes_out_late_is_of_the_side_that_said_it(
    lab: Silent, watch: TurnWatch, goes: str
) -> None:
    if goes == BASE:
        watch.pass_to(BASE)
        watch.end_turn()
    lab.late["dom0"] = WARNING

    watch.pass_to(PATCHED if goes == BASE else BASE)

    assert [each.side for each in watch.found] == [goes]


def test_console_that_shows_nothing_ends_turns_and_accuses_nobody(
    lab: Silent, watch: TurnWatch
) -> None:
    lab.quiet = ("alice",)
    with pytest.raises(LabError, match="the console of alice does not show") as raised:
        watch.pass_to(BASE)

    assert watch.account(raised.value).verdicts == ()


def test_warning_while_the_patched_side_goes_is_its_own(lab: Silent, watch: TurnWatch) -> None:
    lab.say(WARNING)
    watch.pass_to(BASE)
    watch.end_turn()

    (verdict,) = watch.account(None).verdicts

    assert verdict.outcome is Outcome.FAIL
    assert verdict.numbers["base_turns"] == 1


@pytest.mark.parametrize("side", [BASE, PATCHED])
def test_crash_is_of_the_side_that_was_loaded_and_the_lab_is_dead(
    lab: Silent, watch: TurnWatch, side: str
) -> None:
    watch.pass_to(side)
    lab.say(OOPS)
    with pytest.raises(KernelFault) as raised:
        watch.end_turn()

    told = watch.account(raised.value)

    outcomes = [verdict.outcome for verdict in told.verdicts]
    assert outcomes == ([Outcome.CRASH] if side == PATCHED else [])
    assert told.trouble.startswith("oops in dom0: BUG: kernel NULL pointer")
    assert told.trouble.endswith(SPENT)
    assert watch.base_turns == 0
    assert b"NULL pointer" in told.scene["0-dom0.txt"]
    assert told.scene["xl-list.txt"] == b"xl list -v"
    assert "dom0" in lab.forsaken


def test_crash_behind_an_error_of_the_lab_is_told(lab: Silent, watch: TurnWatch) -> None:
    lab.say(OOPS)

    told = watch.account(ConnectionLost("the channel broke"))

    assert [verdict.outcome for verdict in told.verdicts] == [Outcome.CRASH]
    assert "the channel broke" in told.trouble


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (DriverFailed("2 still hold xen_netback", phase=""), Outcome.FAIL),
        (KernelFault("dom0", "oops", ()), Outcome.CRASH),
        (LabError("the channel broke"), None),
        (MeasurementError("no counter"), None),
    ],
)
def test_error_says_something_of_the_patch_only_while_it_was_loaded(
    watch: TurnWatch, error: XenlabError, outcome: Outcome | None
) -> None:
    told = watch.account(error)

    assert [each.outcome for each in told.verdicts] == ([outcome] if outcome else [])
    assert told.trouble.startswith(str(error))
    assert bool(told.scene) is isinstance(error, KernelFault)
    watch.pass_to(BASE)
    assert watch.account(error).verdicts == ()


def test_stall_of_a_host_that_stood_still_ends_turns_and_accuses_nobody(
    lab: Silent, watch: TurnWatch
) -> None:
    lab.say(b"[   30.000000] rcu: INFO: rcu_sched self-detected stall on CPU\n")
    lab.delay_ms += 21_000
    with pytest.raises(KernelFault) as raised:
        watch.end_turn()

    told = watch.account(raised.value)

    assert told.verdicts == ()
    assert "RCU stall in dom0" in told.trouble


@pytest.mark.parametrize("kind", [WaitTimedOut, LabError])
def test_lab_without_a_machine_is_told_to_be_dead(
    lab: Silent, watch: TurnWatch, kind: type[LabError]
) -> None:
    lab.broken = GuestLost("the machine is shut off")

    told = watch.account(kind("nobody answers"))

    assert told.verdicts == ()
    assert told.trouble.endswith(SPENT)
    if kind is WaitTimedOut:
        assert "the machine is shut off" in told.trouble
