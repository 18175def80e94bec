"""Hang: a kernel that neither answers nor says anything; it is asked where it stands."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from xenlab.errors import LabError, WaitTimedOut
from xenlab.plan.model import DOM0
from xenlab.traffic.handle import LabHandle
from xenlab.verdict.console import XEN, scan_console
from xenlab.verdict.console_fault import find_crash
from xenlab.waiting import wait_until
from xenlab.xen.vif import Vif

T = TypeVar("T")

# An idle node answers in a tenth of a second, and a new connection takes a few.
HEARTBEAT_S = 20.0
TOLD_S = 10.0
ASK_S = 20.0
# Where a CPU stands that Xen has nothing to do for (xen/arch/x86/domain.c, acpi/cpu_idle.c).
IDLE = frozenset({"default_idle", "acpi_processor_idle", "mwait_idle", "idle_loop"})
SILENT = f"{{}} neither answered nor said anything for {HEARTBEAT_S:.0f} s"
TRACES = ("l", "t")
SHOW_EVERYTHING = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hang:
    """The kernel that hangs, and what shows that it is to blame and not another."""

    node: str
    reasons: tuple[str, ...]


def find_hang(lab: LabHandle) -> Hang | None:
    """The first kernel that neither answers nor says anything; None where there is none.

    It and Xen are asked where it stands; what they say is on the consoles. Raises LabError where
    what is below Xen is to blame.
    """
    lab.require_machine()
    for node in lab.plan.node_names:
        if not _lives(lab, node):
            if lab.plan.is_plain(node):
                raise LabError(f"{node}, without Xen, neither answers nor says anything")
            return _question_xen(lab) if node == DOM0 else _question_domu(lab, node)
    return None


def _lives(lab: LabHandle, node: str) -> bool:
    """Whether a node answers in time, or has said anything meanwhile."""
    said = len(lab.console_bytes(node))
    deadline = lab.budget(HEARTBEAT_S)
    try:
        lab.shell(node).run(["true"], deadline=deadline)
    except LabError:
        return len(lab.console_bytes(node)) > said
    return True


def _await(lab: LabHandle, node: str, start: int, find: Callable[[bytes], T | None]) -> T | None:
    """What is found in what a console shows from `start` on; None where it does not in time."""
    try:
        return wait_until(
            lambda: find(lab.console_bytes(node, start)) or None,
            f"{node} to tell",
            lab.budget(TOLD_S),
        )
    except WaitTimedOut:
        return None


def _question_xen(lab: LabHandle) -> Hang:
    """dom0 answers nothing: an NMI tells, and ends, whether it is Xen that holds it up."""
    start = len(lab.console_bytes(DOM0))
    lab.send_nmi()
    hang = _await(lab, DOM0, start, blame_by_dump)
    if hang is None:
        raise LabError(f"{SILENT.format(DOM0)}, and Xen takes no NMI: the machine is to blame")
    return hang


def blame_by_dump(said: bytes) -> Hang | None:
    """Who hangs, by what Xen dumped when an NMI came; None without a whole dump.

    A CPU in a guest, or idle, is none that Xen keeps from dom0.
    """
    dump = find_crash(scan_console(DOM0, said))
    context = re.search(rb"CONTEXT: (\S[^\r\n]*)", said)
    if dump is None or context is None:
        return None
    where, silent = " < ".join(dump.fingerprint), SILENT.format(DOM0)
    if context[1] != b"hypervisor":
        return Hang(node=DOM0, reasons=(silent, f"an NMI found a {context[1].decode()} at work"))
    if set(dump.fingerprint) & IDLE:
        return Hang(node=DOM0, reasons=(silent, f"an NMI found Xen idle, in {where}"))
    return Hang(node=XEN, reasons=(silent, f"an NMI found Xen at work, in {where}"))


def _question_domu(lab: LabHandle, node: str) -> Hang | None:
    """dom0 answers and a domU does not: None where its kernel still takes sysrq.

    Then it is slow, or what runs on it hangs; for a task that hangs in it Linux has a detector.
    """
    dom0, domid = lab.shell(DOM0), Vif.parse(lab.vif(node, 0)).domid
    starts = {each: len(lab.console_bytes(each)) for each in (node, DOM0)}
    for key in TRACES:
        dom0.run(["xl", "sysrq", node, key], deadline=lab.budget(ASK_S)).require_success()
    if _await(lab, node, starts[node], bytes.strip):
        return None
    dom0.run(["xl", "debug-keys", SHOW_EVERYTHING], deadline=lab.budget(ASK_S)).require_success()
    stands = _await(lab, DOM0, starts[DOM0], partial(find_guest, domid))
    reasons = (
        f"{SILENT.format(node)} and takes no sysrq, while dom0 answers",
        f"Xen finds it running at {stands}" if stands else "Xen has it on no CPU",
    )
    return Hang(node=node, reasons=reasons)


def find_guest(domid: int, said: bytes) -> str | None:
    """Where a guest is, by what Xen shows of its CPUs; None if it is on none of them."""
    head = rb"Dumping CPU\d+ guest state \(d%dv\d+\): \*{3}[^*]*?RIP:\s+([0-9a-f]+:\[<[0-9a-f]+>\])"
    found = re.search(head % domid, said)
    return found[1].decode() if found else None
