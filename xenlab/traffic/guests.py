"""Links of each kind: what is the same for all domUs is shown on one link of its kind."""

from __future__ import annotations

from xenlab.plan.links import DOM0, Link
from xenlab.plan.model import LabPlan


def guest_links(plan: LabPlan) -> tuple[Link, ...]:
    """From one domU, without a router between: to dom0, and to another domU if there is one."""
    direct = [link for link in plan.links() if link.source_vif and not link.routed]
    direct = [link for link in direct if link.source == direct[0].source]
    to_dom0 = [link for link in direct if link.sink == DOM0]
    to_domu = [link for link in direct if link.sink != DOM0]
    return (*to_dom0[:1], *to_domu[:1])


def kinds_of_links(plan: LabPlan) -> tuple[Link, ...]:
    """The same, and one from dom0 to a domU."""
    from_dom0 = [link for link in plan.links() if link.source == DOM0]
    return (*guest_links(plan), *from_dom0[:1])


def link_for_faults(plan: LabPlan) -> Link:
    """One from domU to domU, which crosses two vifs; the first where there is no such link.

    Without Xen there is the wire alone.
    """
    links = plan.links() or plan.uplink_links()
    return next((link for link in links if link.source_vif and link.sink_vif), links[0])


def link_from_domu(plan: LabPlan) -> Link:
    """From domU to domU, for dom0 is in between then; to dom0 where there is one domU only."""
    sending = [link for link in plan.links() if link.source_vif and not link.routed]
    return next((link for link in sending if link.sink_vif), sending[0])
