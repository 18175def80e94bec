"""The settings of the suite gso: flows that fit, claims that can be judged, nothing twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from xenlab.measure.flow import Transport
from xenlab.measure.fragments import Family
from xenlab.plan.planner import plan_lab
from xenlab.tests.gso.cells import MTUS, TCP_MTU_MIN_BYTES, every_cell, plain_cell
from xenlab.tests.gso.test_gso import flows_of, longest_link
from xenlab.topology.library import topology_paths
from xenlab.topology.loading import load_topology
from xenlab.traffic.cells import Way
from xenlab.traffic.ladder import Extent

WAY = Way(
    source=("alice", "eth0"),
    source_vif="vif1.0",
    sink_vif="vif2.0",
    sink=("bob", "eth0"),
    bridges=("br-lan",),
)
FROM_DOM0 = Way(
    source=("dom0", "br-lan"),
    source_vif="",
    sink_vif="vif1.0",
    sink=("alice", "eth0"),
    bridges=("br-lan",),
)


@pytest.mark.parametrize("mtu_bytes", MTUS[Extent.WHOLE])
def test_flows_fit_their_receiver_at_every_mtu(mtu_bytes: int) -> None:
    link = longest_link(plan_lab(load_topology("pair")))
    flows = flows_of(link, mtu_bytes)

    assert all(flow.fits_receive_buffer(mtu_bytes) for flow in flows)
    assert {flow.family for flow in flows} == ({*Family} if mtu_bytes >= 1280 else {Family.IPV4})
    carries_tcp = mtu_bytes >= TCP_MTU_MIN_BYTES
    assert any(flow.transport is Transport.TCP for flow in flows) == carries_tcp


@pytest.mark.parametrize("mtu_bytes", MTUS[Extent.WHOLE])
def test_some_packet_fills_the_mtu(mtu_bytes: int) -> None:
    flows = flows_of(longest_link(plan_lab(load_topology("pair"))), mtu_bytes)

    assert any(mtu_bytes - 28 in flow.sizes_bytes for flow in flows)


@pytest.mark.parametrize("way", [WAY, FROM_DOM0])
@pytest.mark.parametrize("extent", list(Extent))
def test_every_cell_has_a_name_of_its_own_and_the_control_it_needs_before_it(
    way: Way, extent: Extent
) -> None:
    cells = (plain_cell(way), *every_cell(way, extent))
    names = [cell.name for cell in cells]

    assert len(set(names)) == len(names)
    for place, cell in enumerate(cells[1:], 1):
        assert cell.claims or cell.beyond
        assert cell.control in names[:place]
        assert set(cell.changes) <= set(way.devices)


@pytest.mark.parametrize("name", sorted(topology_paths().keys() - {"uplink-no-xen"}))
def test_every_ready_topology_has_a_link_for_it(name: str) -> None:
    plan = plan_lab(load_topology(name))

    assert not longest_link(plan).routed


@pytest.mark.parametrize("extent", list(Extent))
def test_names_are_the_same_where_domus_have_other_numbers(extent: Extent) -> None:
    """Which domU is created first is chance, and runs are compared by the names of their checks."""
    other = replace(WAY, source_vif="vif8.0", sink_vif="vif7.0")

    names, others = ([cell.name for cell in every_cell(way, extent)] for way in (WAY, other))
    assert names == others
    assert any("dom0's vif of bob" in name for name in names)
