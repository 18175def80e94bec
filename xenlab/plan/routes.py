"""Routes of the domUs by the node that forwards, to networks that it is on and they are not."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import TYPE_CHECKING

from xenlab.plan.nodes import DomUPlan, NetworkPlan, RoutePlan, VifPlan

if TYPE_CHECKING:
    from xenlab.plan.model import LabPlan


def add_routes(plan: LabPlan, domu: DomUPlan) -> DomUPlan:
    """The domU with its routes: by the router's address on the first network that both are on."""
    own = networks_on(plan, domu.name)
    reached = networks_on(plan, plan.router) if plan.router else {}
    shared = [name for name in own if name in reached]
    if not shared or domu.name == plan.router:
        return domu
    gateway = reached[shared[0]]
    others = [plan.network(name) for name in reached if name not in own]
    routes = tuple(
        route
        for network in others
        for route in (
            RoutePlan(
                destination=_range_of(network.address4, network.prefix4), gateway=gateway.address4
            ),
            RoutePlan(
                destination=_range_of(network.address6, network.prefix6), gateway=gateway.address6
            ),
        )
    )
    return replace(domu, routes=routes)


def networks_on(plan: LabPlan, node: str) -> dict[str, VifPlan | NetworkPlan]:
    """The networks of a node, those of its vifs first, and what holds its addresses there."""
    vifs = {vif.network: vif for domu in plan.domus if domu.name == node for vif in domu.vifs}
    bridges = {network.name: network for network in plan.networks if network.backend == node}
    return {**vifs, **bridges}


def _range_of(address: str, prefix: int) -> str:
    return str(ipaddress.ip_interface(f"{address}/{prefix}").network)
