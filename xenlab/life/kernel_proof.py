"""Kernels proved: the build id that a node shows is that of the kernel that it was told to boot."""

from __future__ import annotations

from xenlab.errors import LabError
from xenlab.images.lab_images import LabImages
from xenlab.plan.kernels import kernel_of
from xenlab.plan.model import DOM0, LabPlan
from xenlab.registry.record import LabRecord
from xenlab.topology.kernel_origin import KernelKind

PHASE = "prove the kernels"


def list_build_ids(plan: LabPlan, images: LabImages) -> tuple[tuple[str, str], ...]:
    """Every node, and the build id of the kernel that it is told to boot."""
    return tuple((node, images.kernel_of(plan, node).build_id) for node in plan.node_names)


def prove_kernel(plan: LabPlan, record: LabRecord, node: str, shown: str) -> None:
    """Return if a node's kernel, by the build id that it shows, is the one it was told to boot.

    A release does not tell two builds apart. Raises LabError for another kernel than was meant,
    and for one under test, which is any but a distribution's package, that cannot be told.
    """
    kernel, meant = kernel_of(plan, node), dict(record.build_ids).get(node, "")
    if shown and meant:
        if shown != meant:
            raise LabError(
                f"{node} runs another kernel than it was told to: build id {shown},"
                f" and that of {kernel.name} is {meant}",
                phase=PHASE, try_next=_advise(plan, node),
            )  # fmt: skip
    elif kernel.origin.kind is not KernelKind.PACKAGE:
        raise LabError(
            f"{node} cannot prove that it runs {kernel.name}: build id {shown or 'not told'},"
            f" and that of {kernel.name} is {meant or 'not known'}",
            phase=PHASE, try_next=_advise(plan, node),
        )  # fmt: skip


def _advise(plan: LabPlan, node: str) -> str:
    """The command that shows what was booted: files of ours, or what a host booted by itself."""
    host = plan.host
    if host is None or node != DOM0:
        return "xenlab images verify"
    return f"ssh -p {host.port} {host.user}@{host.host} uname -a"
