"""Which kernel a node of a plan runs."""

from __future__ import annotations

from xenlab.plan.model import DOM0, KernelPlan, LabPlan


def kernel_of(plan: LabPlan, node: str) -> KernelPlan:
    """The kernel of dom0, a domU, or the outside peer, which has dom0's. Raises InputError."""
    is_dom0s = node == DOM0 or plan.is_peer(node)
    return plan.kernel(plan.dom0.kernel if is_dom0s else plan.domu(node).kernel)
