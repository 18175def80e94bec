"""An observer hands on what a vif does not tell: nobody can take that for rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from xenlab.errors import MeasurementError
from xenlab.plan.planner import plan_lab
from xenlab.topology.loading import load_topology
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.observed import ObservedNode
from xenlab.traffic.observing import Observer
from xenlab.transport.shell import CommandResult
from xenlab.waiting import Deadline

RECORDED = (Path(__file__).parents[1] / "xen/recorded/io_ring_q0.txt").read_text()
RING = "/sys/kernel/debug/xen-netback/vif1.0/io_ring_q0"
VIF = "vif1.0"
LINK = next(
    link
    for link in plan_lab(load_topology("pair")).links()
    if (link.source, link.sink) == ("alice", "dom0")
)


@dataclass(frozen=True, slots=True)
class Told:
    """A node that answers every command with the same text."""

    where: str
    text: str

    def run(self, argv: Sequence[str], *, deadline: Deadline) -> CommandResult:  # noqa: ARG002
        stdout = self.text.encode()
        return CommandResult(
            where=self.where, argv=tuple(argv), status=0, stdout=stdout, stderr=b"", elapsed_s=0
        )


@dataclass(frozen=True, slots=True)
class ToldLab:
    """What an observer asks of a lab."""

    dom0: str

    def shell(self, node: str) -> Told:
        return Told(node, self.dom0 if node == "dom0" else "")

    def vif(self, domu: str, index: int) -> str:
        assert (domu, index) == ("alice", 0)
        return VIF

    def budget(self, seconds: float) -> Deadline:
        return Deadline.after(seconds)


def observer_of(dom0: str) -> Observer:
    nodes = (
        ObservedNode(name="alice", devices=("eth0",)),
        ObservedNode(name="dom0", devices=(VIF,)),
    )
    lab = cast("LabHandle", ToldLab(dom0))
    return Observer(lab=lab, link=LINK, nodes=nodes, tracings={}, debugs={})


def told(**counters: int) -> str:
    lines = [f"{RING}:{line}" for line in RECORDED.splitlines()]
    return "\n".join([*lines, *(f"{VIF}:{name}: {value}" for name, value in counters.items())])


def test_vif_that_tells_all_is_at_rest() -> None:
    observer = observer_of(told(tx_zerocopy_sent=3, tx_zerocopy_success=1, tx_zerocopy_fail=2))
    observer.restart()

    assert observer.read().unrest == ""


def test_vif_that_does_not_count_what_came_back_leaves_rest_unsaid() -> None:
    observer = observer_of(told(tx_zerocopy_sent=0, tx_zerocopy_success=0))
    observer.restart()
    observation = observer.read()

    assert len(observation.rings) == 1
    with pytest.raises(MeasurementError, match="does not tell tx_zerocopy_fail"):
        _ = observation.unrest
