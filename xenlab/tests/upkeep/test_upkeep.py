"""What a driver does beside carrying packets: pages, events, copies, multicast.

Needs: what the composer needs; tracefs in the domUs; IPv6 on every network that is asked, and two
domUs on one network for the copies.
"""

from __future__ import annotations

from xenlab.plan.model import DOM0
from xenlab.pytest_plugin import Judge
from xenlab.slots.layout import Layout
from xenlab.traffic.guests import guest_links, kinds_of_links
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.layouts import composers_loaded
from xenlab.traffic.upkeep import call_all_nodes, count_copies, count_looks, count_pages
from xenlab.verdict.upkeep import judge_copies, judge_looks, judge_multicast, judge_pages

SEED = 20140522
PACKETS = (Layout(linear_bytes=1514, linear_offset_bytes=0),) * 2000


def test_pages_of_received_packets_go_back_to_the_pool_that_they_are_from(
    lab: LabHandle, judge: Judge
) -> None:
    (link,) = set(kinds_of_links(lab.plan)) - set(guest_links(lab.plan))
    with composers_loaded(lab, link):
        judge(judge_pages(count_pages(lab, link, PACKETS, seed=SEED)))


def test_looks_for_answers_find_some(lab: LabHandle, judge: Judge) -> None:
    link = guest_links(lab.plan)[0]
    with composers_loaded(lab, link):
        judge(judge_looks(count_looks(lab, link, PACKETS, seed=SEED)))


def test_what_passes_dom0_is_not_copied_and_what_stays_there_is(
    lab: LabHandle, judge: Judge
) -> None:
    kept, passed = guest_links(lab.plan)
    judge(judge_copies(count_copies(lab, passed, kept)))


def test_every_node_of_a_network_hears_multicast(lab: LabHandle, judge: Judge) -> None:
    for network in lab.plan.networks:
        ends = {DOM0: (network.bridge, network.address6)}
        ends |= {
            domu.name: (vif.device, vif.address6)
            for domu in lab.plan.domus
            for vif in domu.vifs
            if vif.network == network.name
        }
        for node, (device, _own) in ends.items():
            others = [address for each, (_device, address) in ends.items() if each != node]
            judge(judge_multicast(call_all_nodes(lab, node, device, others)))
