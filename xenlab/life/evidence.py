"""NodeEvidence: what a node itself says that it runs, and the proof that it was told to."""

from __future__ import annotations

from dataclasses import dataclass

from xenlab.errors import LabError
from xenlab.kernel.notes import find_build_id
from xenlab.lab import Lab
from xenlab.life.kernel_proof import prove_kernel
from xenlab.plan.model import DOM0, LabPlan
from xenlab.together import on_all
from xenlab.topology.wording import list_names
from xenlab.waiting import Deadline

RELEASE_FILE = "/proc/sys/kernel/osrelease"
# The notes that were linked into the kernel, its build id among them (linux/kernel/ksysfs.c); where
# there are none there is no such file.
NOTES_FILE = "/sys/kernel/notes"
# Linux Documentation/ABI/stable/sysfs-hypervisor-xen
XEN_FILES = tuple(f"/sys/hypervisor/version/{part}" for part in ("major", "minor", "extra"))
# On Xen a kernel has Xen's clock among these, however it was started (arch/x86/xen/time.c,
# xen_time_init); so a Linux without Xen below says so by a file that is there.
CLOCKS_FILE = "/sys/devices/system/clocksource/clocksource0/available_clocksource"
XEN_CLOCK = "xen"

# The files' lines, then what notes there are, in one answer.
READ = f"""\
[ ! -e {NOTES_FILE} ] || set -- "$@" {NOTES_FILE}
cat "$@"
"""


def evidence_files(plan: LabPlan, node: str) -> tuple[str, ...]:
    """The files whose first lines tell what a node runs."""
    if plan.is_plain(node):
        return (RELEASE_FILE, CLOCKS_FILE)
    return (RELEASE_FILE, *XEN_FILES) if node == DOM0 else (RELEASE_FILE,)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeEvidence:
    """The kernel's release, and in dom0 Xen's version (empty elsewhere, and without Xen).

    `build_id` is that of the kernel, in hexadecimal; empty where it does not tell.
    """

    kernel: str
    xen: str = ""
    build_id: str = ""

    @classmethod
    def parse(cls, plan: LabPlan, node: str, text: str, notes: bytes = b"") -> NodeEvidence:
        """From the first lines of a node's files, and its kernel's notes; LabError if they are not.

        And for a node that is to run without Xen, and runs on it.
        """
        build_id = _read_build_id(node, notes)
        match plan.is_plain(node), text.split():
            case True, [_, *clocks] if XEN_CLOCK in clocks:
                raise LabError(
                    f"{node} is to run without Xen, and has Xen's clock among its own:"
                    f" {list_names(clocks)}"
                )
            case (True, [kernel, _, *_]) | (False, [kernel]):
                return cls(kernel=kernel, build_id=build_id)
            case False, [kernel, major, minor, extra]:
                return cls(kernel=kernel, xen=f"{major}.{minor}{extra}", build_id=build_id)
        raise LabError(f"{node} does not say what it runs, but {text[:200]!r}")


def _read_build_id(node: str, notes: bytes) -> str:
    try:
        return find_build_id(notes)
    except ValueError as error:
        raise LabError(f"{node}: {NOTES_FILE}: {error}") from error


def believe_node(lab: Lab, node: str, text: str, notes: bytes) -> NodeEvidence:
    """What a node said, once it is proved to run the kernel that it was told to; else LabError."""
    evidence = NodeEvidence.parse(lab.plan, node, text, notes)
    prove_kernel(lab.plan, lab.record, node, evidence.build_id)
    return evidence


def read_evidence(lab: Lab, deadline: Deadline) -> dict[str, NodeEvidence]:
    """Ask every node over its shell, and believe it: an answer is the proof that it is up."""
    told: dict[str, NodeEvidence] = {}

    def ask(node: str) -> None:
        files = evidence_files(lab.plan, node)
        answer = lab.shell(node, deadline).run_script(READ, *files, deadline=deadline)
        *lines, notes = answer.require_success().stdout.split(b"\n", len(files))
        told[node] = believe_node(lab, node, b"\n".join(lines).decode(errors="replace"), notes)

    lab.shell(DOM0, deadline)  # the others' go through it
    on_all(ask, lab.plan.node_names)
    return told
