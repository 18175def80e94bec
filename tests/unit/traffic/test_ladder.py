"""The flows of the suites: every edge is there, and every flow fits its receiver."""

from __future__ import annotations

import pytest

from xenlab.measure.flow import FlowSpec, Transport
from xenlab.measure.fragments import Family, wire_packets
from xenlab.plan.model import LabPlan, Link
from xenlab.plan.planner import plan_lab
from xenlab.topology.library import topology_paths
from xenlab.topology.loading import load_topology, parse_topology
from xenlab.traffic.ladder import UDP_VOLUME, Extent, plan_runs, source_mtu_bytes

# sysoptions.h of dropbear: MAX_CMD_LEN is 9000 bytes, in the oldest that an image may have.
COMMAND_MAX_BYTES = 8000


def links_of(plan: LabPlan) -> list[tuple[Link, int]]:
    networks = {network.name: network for network in plan.networks}
    return [(link, source_mtu_bytes(link, networks)) for link in plan.links()]


def pair_at(mtu_bytes: int) -> LabPlan:
    text = f"""\
domus:
  alice: {{vifs: [{{network: lan, mtu: {mtu_bytes}}}]}}
  bob: {{vifs: [{{network: lan, mtu: {mtu_bytes}}}]}}
networks:
  lan: {{mtu: {mtu_bytes}}}
"""
    return plan_lab(parse_topology(text.encode(), file="lab.yaml", name="lab"))


def udp_flow(link: Link, family: Family, extent: Extent) -> FlowSpec:
    flows = (flow for run in plan_runs(link, extent) for flow in run)
    return next(flow for flow in flows if flow.transport is Transport.UDP and flow.family is family)


def test_whole_suite_measures_each_flow_by_itself_and_the_short_form_all_at_once() -> None:
    link = plan_lab(load_topology("pair")).links()[0]
    assert [[str(flow) for flow in run] for run in plan_runs(link, Extent.WHOLE)] == [
        ["udp4"], ["tcp4"], ["udp6"], ["tcp6"],
    ]  # fmt: skip
    assert [[str(flow) for flow in run] for run in plan_runs(link, Extent.QUICK)] == [
        ["udp4", "tcp4", "udp6", "tcp6"]
    ]


@pytest.mark.parametrize("mtu_bytes", [1500, 9000])
@pytest.mark.parametrize("family", list(Family))
@pytest.mark.parametrize("extent", list(Extent))
def test_ladder_has_the_last_size_of_one_two_and_three_packets_and_the_first_beyond(
    mtu_bytes: int, family: Family, extent: Extent
) -> None:
    flow = udp_flow(pair_at(mtu_bytes).links()[0], family, extent)
    steps = {(size, wire_packets(size, family, mtu_bytes)) for size in flow.sizes_bytes}
    for packets in (1, 2):
        last = max(size for size, count in steps if count == packets)
        assert (last + 1, packets + 1) in steps
    assert {1, 65507} <= set(flow.sizes_bytes)


def test_whole_suite_has_a_packet_for_a_fault_of_one_in_a_thousand() -> None:
    link = plan_lab(load_topology("pair")).links()[0]
    for family in Family:
        assert len(udp_flow(link, family, Extent.WHOLE).sizes_bytes) > UDP_VOLUME


@pytest.mark.parametrize("name", sorted(topology_paths()))
@pytest.mark.parametrize("extent", list(Extent))
def test_every_run_of_every_topology_fits_receiver_and_command_line(
    name: str, extent: Extent
) -> None:
    for link, mtu_bytes in links_of(plan_lab(load_topology(name))):
        for run in plan_runs(link, extent):
            assert all(flow.fits_receive_buffer(mtu_bytes) for flow in run)
            assert sum(len(flow.argument) for flow in run) < COMMAND_MAX_BYTES
            assert len({flow.port for flow in run}) == len(run)


def test_link_below_the_least_mtu_of_ipv6_has_no_ipv6() -> None:
    runs = plan_runs(pair_at(1000).links()[0], Extent.WHOLE)
    assert {flow.family for run in runs for flow in run} == {Family.IPV4}


def test_seeds_differ_between_flows_and_not_between_runs() -> None:
    first, second = (plan_lab(load_topology("pair")).links() for _ in range(2))
    seeds = [flow.seed for link in first for run in plan_runs(link, Extent.WHOLE) for flow in run]
    again = [flow.seed for link in second for run in plan_runs(link, Extent.WHOLE) for flow in run]
    assert seeds == again
    assert len(set(seeds)) == len(seeds)
