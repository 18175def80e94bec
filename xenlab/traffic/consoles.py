"""Consoles: read whole and scanned for faults, after a control line was seen to come out."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial

from xenlab.errors import LabError, WaitTimedOut
from xenlab.guest.kernel_log import write_kernel_log
from xenlab.traffic.handle import LabHandle
from xenlab.verdict.console import NUMBERED, scan_console
from xenlab.verdict.console_fault import ConsoleFault
from xenlab.verdict.console_rule import judge_console
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict
from xenlab.waiting import Deadline, wait_until
from xenlab.xen.vif import Vif

NONCE_BYTES = 8
CONTROL_S = 10.0


def judge_node_console(lab: LabHandle, node: str) -> Verdict:
    """The verdict on a node's console, Xen's lines with dom0's. Raises LabError.

    A line that is written to the node's kernel log, at the level of a warning, must come out: a
    console that shows less than warnings, or nothing, proves nothing.
    """
    seen = _await_control(lab, node)
    content = lab.console_bytes(node)
    faults = scan_console(node, content, on_emulated_cpu=lab.on_emulated_cpu)
    return judge_console(f"console of {node}", faults, log_bytes=len(content), control_seen=seen)


def await_consoles(lab: LabHandle) -> None:
    """Return once every console shows all that its kernel has said by now; else LabError.

    What a command made a kernel say may come out later than the command's own end.
    """
    for node in lab.plan.node_names:
        if not _await_control(lab, node):
            raise LabError(f"the console of {node} does not show what is written to its kernel log")


def read_crashes(lab: LabHandle, *nodes: str) -> Iterator[ConsoleFault]:
    """All crashes that the nodes' consoles tell of, each under its domU's own name."""
    for node in dict.fromkeys(nodes):
        content = lab.console_bytes(node)
        for fault in scan_console(node, content, on_emulated_cpu=lab.on_emulated_cpu):
            if fault.outcome is Outcome.CRASH:
                yield name_domain(lab, fault)


def name_domain(lab: LabHandle, fault: ConsoleFault) -> ConsoleFault:
    """The fault, under the domU's own name where Xen told of it by number.

    While a lab comes up nobody knows the numbers.
    """
    with suppress(LabError):
        for domu in lab.plan.domus:
            if fault.node == f"{NUMBERED}{Vif.parse(lab.vif(domu.name, 0)).domid}":
                return replace(fault, node=domu.name)
    return fault


def _await_control(lab: LabHandle, node: str) -> bool:
    """Write a line to a node's kernel log; whether it came out on its console."""
    nonce = secrets.token_hex(NONCE_BYTES)
    deadline = lab.budget(CONTROL_S)
    write_kernel_log(lab.shell(node), [f"xenlab: console control {nonce}"], deadline)
    return _appears(lab, node, nonce.encode(), deadline)


def _appears(lab: LabHandle, node: str, text: bytes, deadline: Deadline) -> bool:
    try:
        return wait_until(
            partial(_shows, lab, node, text), f"the console of {node} to show it", deadline
        )
    except WaitTimedOut:
        return False


def _shows(lab: LabHandle, node: str, text: bytes) -> bool:
    return text in lab.console_bytes(node)
