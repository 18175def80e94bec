"""Turns of two sides: whose fault it is what goes wrong between the two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

import pytest

from tests.unit.kernel.elf import pack_note
from tests.unit.traffic.test_turn_watch import OLD, WARNING, Silent
from xenlab.errors import DriverFailed, MeasurementError, XenlabError
from xenlab.guest.driver import HOLDERS, UNLOAD_NETBACK, UNLOAD_NETFRONT, NodeDriver
from xenlab.guest.kernel_log import KMSG
from xenlab.kernel.driver import DriverKind
from xenlab.measure.contest import BASE, PATCHED
from xenlab.plan.model import DOM0
from xenlab.plan.planner import plan_lab
from xenlab.topology.loading import load_topology
from xenlab.traffic.contest import Ring
from xenlab.traffic.iperf import IperfSpec
from xenlab.traffic.lane import Lane
from xenlab.traffic.turn_watch import TurnWatch
from xenlab.transport.shell import CommandResult
from xenlab.verdict.outcome import Outcome
from xenlab.waiting import Deadline
from xenlab.xen.vif import CONNECT_VIFS

LOAD = IperfSpec(address="192.0.2.1", streams=2, write_bytes=1000)
KINDS = {DOM0: DriverKind.NETBACK, "alice": DriverKind.NETFRONT}
BUILD_IDS = {PATCHED: "aa" * 20, BASE: "bb" * 20}
UNLOADS = (UNLOAD_NETBACK, UNLOAD_NETFRONT)
COMES, GOES = "comes", "goes"


@dataclass(slots=True, kw_only=True)
class Changing(Silent):
    """Nodes with drivers that say something, or fail, as they come or go.

    A step is a node, the side of its driver, and whether that comes or goes.
    """

    loaded: dict[str, str] = field(default_factory=lambda: dict.fromkeys(KINDS, PATCHED))
    words: dict[tuple[str, str, str], bytes] = field(default_factory=dict)
    errors: dict[tuple[str, str, str], XenlabError] = field(default_factory=dict)
    held: tuple[str, str] = ("", "")
    steps: list[tuple[str, str, str]] = field(default_factory=list)

    def shell(self, node: str) -> Node:  # type: ignore[override]
        return Node(lab=self, where=node)

    def restore_silence(self) -> None:
        """Nobody talks but drivers."""

    def take(self, node: str, side: str, step: str) -> None:
        self.steps.append((node, side, step))
        self.said[node] = self.said.get(node, b"") + self.words.get((node, side, step), b"")
        if (node, side, step) in self.errors:
            raise self.errors[node, side, step]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node's shell: which of its drivers is loaded is all that it knows."""

    lab: Changing
    where: str

    def run_script(self, script: str, *words: str, deadline: Deadline) -> CommandResult:
        if KMSG in script:
            return Silent.shell(self.lab, self.where).run_script(script, *words, deadline=deadline)
        side = self.lab.loaded.get(self.where, "")
        if script in UNLOADS:
            del self.lab.loaded[self.where]
            self.lab.take(self.where, side, GOES)
        return self._end(b"2" if script == HOLDERS and self.lab.held == (self.where, side) else b"")

    def run(self, argv: Sequence[str], *, deadline: Deadline) -> CommandResult:
        assert deadline.remaining_s > 0
        side = argv[-1]
        if argv[0] == CONNECT_VIFS and side in BUILD_IDS:
            assert self.where not in self.lab.loaded
            self.lab.loaded[self.where] = side
            self.lab.take(self.where, side, COMES)
        return self._end(b"")

    def read_file(self, _path: str, *, deadline: Deadline) -> bytes:
        assert deadline.remaining_s > 0
        return pack_note("GNU", 3, bytes.fromhex(BUILD_IDS[self.lab.loaded[self.where]]))

    def _end(self, told: bytes) -> CommandResult:
        return CommandResult(
            where=self.where, argv=(), status=0, stdout=told, stderr=b"", elapsed_s=0.0
        )


@pytest.fixture
def lab() -> Changing:
    return Changing(plan=plan_lab(load_topology("pair")), said={"dom0": OLD})


def ring(lab: Changing, watch: TurnWatch) -> Ring:
    """A lane on which nothing is sent; a driver's path is the side that it is of."""
    lane = SimpleNamespace(
        lab=lab, link=SimpleNamespace(source="alice"),
        time=lambda _load: None, count=lambda _load, _netfront: None,
    )  # fmt: skip
    sides = {
        side: {
            node: NodeDriver(kind=kind, name=side, path=side, build_id=BUILD_IDS[side])
            for node, kind in KINDS.items()
        }
        for side in (BASE, PATCHED)
    }
    return Ring(lane=cast(Lane, lane), sides=sides, watch=watch)


def take_turns(lab: Changing, watch: TurnWatch) -> None:
    turning = ring(lab, watch)
    for side in (PATCHED, BASE, PATCHED):
        turning.take(side, LOAD)


def test_all_drivers_of_a_side_are_out_before_one_of_the_other_is_loaded(
    lab: Changing, watch: TurnWatch
) -> None:
    take_turns(lab, watch)

    assert lab.steps == [
        (node, side, step)
        for side, step in ((PATCHED, GOES), (BASE, COMES), (BASE, GOES), (PATCHED, COMES))
        for node in KINDS
    ]


@pytest.mark.parametrize("step", [COMES, GOES])
@pytest.mark.parametrize("side", [BASE, PATCHED])
@pytest.mark.parametrize("node", KINDS)
def test_warning_in_a_change_is_of_the_side_whose_driver_comes_or_goes(
    lab: Changing, watch: TurnWatch, node: str, side: str, step: str
) -> None:
    lab.words[node, side, step] = WARNING

    take_turns(lab, watch)
    told = watch.account(None)

    assert {each.side for each in watch.found} == {side}
    assert [each.outcome for each in told.verdicts] == ([Outcome.FAIL] if side == PATCHED else [])


@pytest.mark.parametrize("step", [COMES, GOES])
@pytest.mark.parametrize("side", [BASE, PATCHED])
def test_driver_that_fails_in_a_change_is_the_patched_sides_fault_if_it_is_its_own(
    lab: Changing, watch: TurnWatch, side: str, step: str
) -> None:
    lab.errors["alice", side, step] = DriverFailed("it does not", phase="")

    with pytest.raises((DriverFailed, MeasurementError)) as raised:
        take_turns(lab, watch)

    outcomes = [each.outcome for each in watch.account(raised.value).verdicts]
    assert outcomes == ([Outcome.FAIL] if side == PATCHED else [])


@pytest.mark.parametrize("node", KINDS)
@pytest.mark.parametrize("side", [BASE, PATCHED])
def test_driver_that_is_not_let_go_is_no_fault_of_the_one_that_was_to_come(
    lab: Changing, watch: TurnWatch, node: str, side: str
) -> None:
    lab.held = (node, side)

    with pytest.raises((DriverFailed, MeasurementError), match="2 still hold xen_net") as raised:
        take_turns(lab, watch)

    outcomes = [each.outcome for each in watch.account(raised.value).verdicts]
    assert outcomes == ([Outcome.FAIL] if side == PATCHED else [])
