"""Whether packets between two nodes may take more than one way."""

from __future__ import annotations

import pytest

from xenlab.plan.planner import plan_lab
from xenlab.plan.queues import has_several_queues
from xenlab.topology.loading import load_topology


@pytest.mark.parametrize(
    ("topology", "several"),
    [
        ("pair", set()),
        ("queues-1-2", {"dom0 bob", "bob dom0", "alice bob", "bob alice"}),
        ("driver-domain", set()),
    ],
)
def test_links_over_a_vif_with_several_queues_are_known(topology: str, several: set[str]) -> None:
    plan = plan_lab(load_topology(topology))
    found = [each for each in plan.links() if has_several_queues(plan, each)]

    assert {f"{link.source} {link.sink}" for link in found} == several
