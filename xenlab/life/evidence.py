"""NodeEvidence: what a node itself says that it runs."""

from __future__ import annotations

from dataclasses import dataclass

from xenlab.errors import LabError
from xenlab.lab import Lab
from xenlab.life.connect import on_all
from xenlab.plan.model import DOM0, LabPlan
from xenlab.topology.wording import list_names
from xenlab.waiting import Deadline

RELEASE_FILE = "/proc/sys/kernel/osrelease"
# Linux Documentation/ABI/stable/sysfs-hypervisor-xen
XEN_FILES = tuple(f"/sys/hypervisor/version/{part}" for part in ("major", "minor", "extra"))
# On Xen a kernel has Xen's clock among these, however it was started (arch/x86/xen/time.c,
# xen_time_init); so a Linux without Xen below says so by a file that is there.
CLOCKS_FILE = "/sys/devices/system/clocksource/clocksource0/available_clocksource"
XEN_CLOCK = "xen"


def evidence_files(plan: LabPlan, node: str) -> tuple[str, ...]:
    """The files whose first lines tell what a node runs."""
    if plan.is_plain(node):
        return (RELEASE_FILE, CLOCKS_FILE)
    return (RELEASE_FILE, *XEN_FILES) if node == DOM0 else (RELEASE_FILE,)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeEvidence:
    """The kernel's release, and in dom0 Xen's version (empty elsewhere, and without Xen)."""

    kernel: str
    xen: str = ""

    @classmethod
    def parse(cls, plan: LabPlan, node: str, text: str) -> NodeEvidence:
        """From the first lines of a node's files; LabError if they are not that.

        And for a node that is to run without Xen, and runs on it.
        """
        match plan.is_plain(node), text.split():
            case True, [_, *clocks] if XEN_CLOCK in clocks:
                raise LabError(
                    f"{node} is to run without Xen, and has Xen's clock among its own:"
                    f" {list_names(clocks)}"
                )
            case (True, [kernel, _, *_]) | (False, [kernel]):
                return cls(kernel=kernel)
            case False, [kernel, major, minor, extra]:
                return cls(kernel=kernel, xen=f"{major}.{minor}{extra}")
        raise LabError(f"{node} does not say what it runs, but {text[:200]!r}")


def read_evidence(lab: Lab, deadline: Deadline) -> dict[str, NodeEvidence]:
    """Ask every node over its shell: an answer is the proof that it is up."""
    told: dict[str, NodeEvidence] = {}

    def ask(node: str) -> None:
        argv = ["cat", *evidence_files(lab.plan, node)]
        answer = lab.shell(node, deadline).run(argv, deadline=deadline).require_success()
        told[node] = NodeEvidence.parse(lab.plan, node, answer.text)

    lab.shell(DOM0, deadline)  # the others' go through it
    on_all(ask, lab.plan.node_names)
    return told
