"""In each mode of guests, of dom0 and of vifs: it is the one that was asked for, and traffic works.

Packets of every number of ring slots, and over compound pages, say whether the frontend treats
them as the model of this mode does: one that does not trust its backend copies each of them. Each
guest's vif is unplugged under traffic, and plugged in again.

Needs: the kernels' headers (fetched) and a compiler for the composer's module.
"""

from __future__ import annotations

from xenlab.plan.model import DOM0, DomUPlan, LabPlan, Link
from xenlab.pytest_plugin import Judge, Show
from xenlab.slots.boundaries import sweep_layouts
from xenlab.slots.compound import compound_layouts
from xenlab.tests.flows import send_and_judge_flows
from xenlab.traffic.consoles import judge_node_console
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.ladder import Extent
from xenlab.traffic.layouts import composers_loaded, send_layouts
from xenlab.traffic.mode import read_mode_evidence
from xenlab.traffic.proof import judge_vifs
from xenlab.traffic.replug import find_vif_way, measure_vif_replug
from xenlab.verdict.layouts import judge_layouts
from xenlab.verdict.mode import judge_modes
from xenlab.verdict.replug import judge_replug, skip_without_replug

SEED = 20140519


def test_domains_and_vifs_are_of_the_mode_that_was_asked_for(lab: LabHandle, judge: Judge) -> None:
    judge(judge_modes(lab.plan, read_mode_evidence(lab)))


def test_both_ends_of_every_vif_are_connected_with_their_features(
    lab: LabHandle, domu: DomUPlan, judge: Judge
) -> None:
    for verdict in judge_vifs(lab, domu):
        judge(verdict)


def test_every_packet_of_every_flow_is_intact_and_accounted_for_at_every_hop(
    lab: LabHandle, link: Link, judge: Judge, show: Show
) -> None:
    send_and_judge_flows(lab, link, Extent.QUICK, judge, show)


def test_packets_of_every_number_of_slots_and_over_compound_pages_meet_their_fate(
    lab: LabHandle, judge: Judge
) -> None:
    for link in links_of_each_frontend(lab.plan):
        frags = lab.max_skb_frags(link.source)
        with composers_loaded(lab, link):
            for name, layouts in (
                ("every number of slots", sweep_layouts(1, max_frags=frags)),
                ("pages of order 0 to 5", tuple(compound_layouts())),
            ):
                run = send_layouts(lab, link, layouts, seed=SEED)
                judge(judge_layouts(run, subject=f"{run.subject}, {name}"))


def test_what_is_lost_is_lost_while_a_vif_is_unplugged_and_nothing_afterwards(
    lab: LabHandle, domu: DomUPlan, judge: Judge
) -> None:
    link = find_vif_way(lab.plan, domu)
    if link is None:
        judge(skip_without_replug(lab.plan, f"{domu.name} has no vif that a stream comes by"))
        return
    judge(judge_replug(measure_vif_replug(lab, link)))


def test_no_kernel_has_written_of_a_fault_since_power_on(
    lab: LabHandle, node: str, judge: Judge
) -> None:
    judge(judge_node_console(lab, node))


def links_of_each_frontend(plan: LabPlan) -> tuple[Link, ...]:
    """One from every domU, to another domU if there is one, and one from dom0."""
    first: dict[str, Link] = {}
    for link in sorted(plan.links(), key=lambda link: link.sink == DOM0):
        if not link.routed:
            first.setdefault(link.source, link)
    return tuple(first.values())
