"""NodeEvidence: what a node itself says that it runs."""

from __future__ import annotations

from dataclasses import dataclass

from xenlab.errors import LabError
from xenlab.lab import Lab
from xenlab.life.connect import on_all
from xenlab.plan.model import DOM0
from xenlab.waiting import Deadline

RELEASE_FILE = "/proc/sys/kernel/osrelease"
# Linux Documentation/ABI/stable/sysfs-hypervisor-xen
XEN_FILES = tuple(f"/sys/hypervisor/version/{part}" for part in ("major", "minor", "extra"))
EVIDENCE_FILES = {False: (RELEASE_FILE,), True: (RELEASE_FILE, *XEN_FILES)}  # key: is it dom0?


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeEvidence:
    """The kernel's release, and in dom0 Xen's version (empty elsewhere)."""

    kernel: str
    xen: str = ""

    @classmethod
    def parse(cls, text: str) -> NodeEvidence:
        """From the first lines of EVIDENCE_FILES; LabError if they are not that."""
        match text.split():
            case [kernel]:
                return cls(kernel=kernel)
            case [kernel, major, minor, extra]:
                return cls(kernel=kernel, xen=f"{major}.{minor}{extra}")
        raise LabError(f"a node does not say what it runs, but {text[:200]!r}")


def read_evidence(lab: Lab, deadline: Deadline) -> dict[str, NodeEvidence]:
    """Ask every node over its shell: an answer is the proof that it is up."""
    told: dict[str, NodeEvidence] = {}

    def ask(node: str) -> None:
        argv = ["cat", *EVIDENCE_FILES[node == DOM0]]
        answer = lab.shell(node, deadline).run(argv, deadline=deadline).require_success()
        told[node] = NodeEvidence.parse(answer.text)

    lab.shell(DOM0, deadline)  # the others' go through it
    on_all(ask, lab.plan.node_names)
    return told
