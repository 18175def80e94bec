"""Parameters of tests: one test for each link, each domU and each node of a plan."""

from __future__ import annotations

import pytest

from xenlab.plan.model import DomUPlan, LabPlan, Link


def parametrize(metafunc: pytest.Metafunc, plan: LabPlan) -> None:
    """One test for each; a `link` may be one over the wire, a `direct_link` has a ring.

    Where there is no domU, in a lab without Xen, the only `domu` is None.
    """
    if "link" in metafunc.fixturenames:
        links = (*plan.links(), *plan.uplink_links())
        metafunc.parametrize("link", links, ids=_name_link)
    if "direct_link" in metafunc.fixturenames:
        direct = [link for link in plan.links() if not link.routed]
        metafunc.parametrize("direct_link", direct, ids=_name_link, scope="module")
    if "domu" in metafunc.fixturenames:
        metafunc.parametrize("domu", plan.domus or [None], ids=_name_domu)
    if "node" in metafunc.fixturenames:
        metafunc.parametrize("node", plan.node_names)


def _name_domu(domu: DomUPlan | None) -> str:
    return domu.name if domu else "none"


def _name_link(link: Link) -> str:
    return f"{link.source}-{link.sink}-{'+'.join(link.networks)}"
