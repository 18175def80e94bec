"""Drivers exchanged inside a run: what was loaded at first stays."""

from __future__ import annotations

from typing import cast

from xenlab.guest.driver import NodeDriver
from xenlab.kernel.driver import DriverKind
from xenlab.plan.model import DOM0, LabPlan
from xenlab.plan.planner import plan_lab
from xenlab.topology.loading import load_topology
from xenlab.traffic.drivers import LOADED, DriverExchange
from xenlab.traffic.handle import LabHandle

FRONT, BACK = (
    NodeDriver(kind=kind, name="x", path="/x.ko", build_id=str(kind)) for kind in DriverKind
)


class Planned:
    """A lab of which nothing is asked but its plan."""

    plan: LabPlan = plan_lab(load_topology("pair"))

    def shell(self, node: str) -> None:
        """Nothing is done there."""


def test_what_was_loaded_at_first_stays_without_a_step_in_any_node() -> None:
    exchange = DriverExchange(
        lab=cast(LabHandle, Planned()), domu="alice",
        _runs={each.kind.value: each.build_id for each in (FRONT, BACK)},
        _known={("alice", LOADED): FRONT, (DOM0, LOADED): BACK},
    )  # fmt: skip

    assert exchange.run(LOADED, LOADED) is FRONT
