"""Planted faults: where they are put, and what tc is told."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from xenlab.plan.model import Link
from xenlab.plan.planner import plan_lab
from xenlab.topology.loading import load_topology
from xenlab.traffic.plant import PLANTERS, PlantKind, Site, site_of, split_count, tc_action

SITE = Site(device="vif2.0", hook="egress")


@dataclass(frozen=True, slots=True)
class Domids:
    """The one question that a site asks of a lab."""

    numbers: dict[str, int]

    def vif(self, domu: str, index: int) -> str:
        return f"vif{self.numbers[domu]}.{index}"


def site(source: str, sink: str) -> Site:
    links = plan_lab(load_topology("pair")).links()
    link: Link = next(link for link in links if (link.source, link.sink) == (source, sink))
    return site_of(Domids({"alice": 1, "bob": 2}), link)  # type: ignore[arg-type]


def test_fault_is_met_on_the_way_out_to_the_sink_or_in_from_the_source() -> None:
    assert site("alice", "bob") == Site(device="vif2.0", hook="egress")
    assert site("dom0", "alice") == Site(device="vif1.0", hook="egress")
    assert site("alice", "dom0") == Site(device="vif1.0", hook="ingress")


def test_fault_on_a_network_of_a_driver_domain_is_met_there() -> None:
    links = {
        (link.source, link.sink): link for link in plan_lab(load_topology("driver-domain")).links()
    }
    lab = Domids({"app": 1, "firewall": 2, "peer": 4})
    there, back, up = (
        site_of(lab, links[ends])  # type: ignore[arg-type]
        for ends in (("app", "peer"), ("peer", "app"), ("app", "firewall"))
    )
    assert there == Site(device="vif4.0", hook="egress", node="netvm")
    assert back == Site(device="vif1.0", hook="egress", node="firewall")
    assert up == Site(device="vif1.0", hook="ingress", node="firewall")
    outwards = plan_lab(load_topology("iommu-i7")).uplink_links()[0]
    assert site_of(lab, outwards) == Site(  # type: ignore[arg-type]
        device="uplink", hook="egress", node="netvm"
    )


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (PlantKind.DROP, "action pass random determ drop 1000"),
        (
            PlantKind.SILENT_DROP,
            "action pass random determ pipe 1000 action mirred egress redirect dev lo",
        ),
        (
            PlantKind.CORRUPT,
            "action pass random determ pipe 1000 action pedit munge offset 100 u8 invert",
        ),
        (
            PlantKind.DUPLICATE,
            "action pass random determ pipe 1000 action mirred egress mirror dev vif2.0",
        ),
    ],
)
def test_every_fault_of_the_path_has_its_action(kind: PlantKind, words: str) -> None:
    assert " ".join(tc_action(kind, SITE, 1000)) == words


def test_tc_plants_no_warning() -> None:
    with pytest.raises(ValueError, match="not planted with tc"):
        tc_action(PlantKind.WARN, SITE, 1000)


def test_count_beyond_what_tc_counts_to_is_two_counts_one_behind_the_other() -> None:
    assert " ".join(tc_action(PlantKind.DROP, SITE, 95_000)) == (
        "action pass random determ pipe 10 action pass random determ drop 9500"
    )
    assert split_count(10_000) == (1, 10_000)
    with pytest.raises(ValueError, match="tc cannot count to 10007"):
        split_count(10_007)


def test_every_kind_of_fault_can_be_planted() -> None:
    assert set(PLANTERS) == set(PlantKind)
