"""Queues of vifs: how many ways the packets between two nodes may take."""

from __future__ import annotations

from xenlab.plan.links import Link
from xenlab.plan.model import LabPlan
from xenlab.plan.nodes import VifPlan


def has_several_queues(plan: LabPlan, link: Link) -> bool:
    """Whether a vif on the way may have more than one queue.

    Both ends choose a packet's queue by its hash (xennet_select_queue(), xenvif_select_queue()):
    that of a fragment knows no ports, so it is another one than that of a whole datagram.
    """
    routers = ((link.router, vif) for vif in link.router_vifs)
    ends = ((link.source, link.source_vif), (link.sink, link.sink_vif), *routers)
    return any(_queues(plan, node, vif) > 1 for node, vif in ends if vif is not None)


def _queues(plan: LabPlan, node: str, vif: VifPlan) -> int:
    """The most it can have: where nothing is asked for, one a CPU of the domU."""
    return vif.queues or plan.domu(node).vcpus
