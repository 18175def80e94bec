"""Blame: whose fault it is that a lab does not come up: a kernel's, a driver's, or its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from xenlab.errors import (
    CommandFailed,
    DriverFailed,
    InputError,
    KernelFault,
    LabError,
    Unavailable,
    WaitTimedOut,
)
from xenlab.hypervisor.console import ConsoleLog
from xenlab.kernel.decoding import decode_trace
from xenlab.kernel.driver import Driver
from xenlab.lab import Lab
from xenlab.life.vif_evidence import VifEvidence
from xenlab.plan.model import LabPlan
from xenlab.registry.record import LabRecord, read_record
from xenlab.verdict.console import scan_console
from xenlab.verdict.console_fault import ConsoleFault, find_crash
from xenlab.waiting import Deadline

DECODE_S = 60.0
# The phase in which every vif has carried packets unless the ping over it fails.
PING = "ping"


@contextlib.contextmanager
def blaming_kernels(plan: LabPlan, record: LabRecord) -> Iterator[None]:
    """An error of the lab becomes a KernelFault, decoded, where a console tells of a crash."""
    try:
        yield
    except (LabError, KernelFault, DriverFailed) as error:
        for node in plan.node_names:
            log = ConsoleLog(path=record.places.console_log(node))
            emulated = record.on_emulated_cpu
            crash = find_crash(scan_console(node, log.read(), on_emulated_cpu=emulated))
            if crash is not None:
                fault = _decoded(crash, record)
                fault.phase, fault.log_path = error.phase, str(log.path)
                raise fault from error
        raise


@contextlib.contextmanager
def blaming_drivers(lab: Lab, drivers: Mapping[str, Driver], phase: str) -> Iterator[None]:
    """Connect vifs in here: a driver under test is to blame for what is seen to be missing of them.

    A command that failed or did not end becomes DriverFailed with both ends' states of every vif,
    where the machine runs, each node with such a driver still answers, and one of them is seen not
    to load or not to do its part of a vif. What else goes wrong, a toolstack that had no memory or
    no patience and a connection that broke as well, is what it was.
    """
    try:
        yield
    except (CommandFailed, WaitTimedOut) as error:
        suspects = {node: each for node, each in drivers.items() if each.file}
        if not suspects:
            raise
        lab.machine.require_running()
        evidence = VifEvidence(lab=lab, drivers=suspects)
        pinged = phase == PING and isinstance(error, CommandFailed)
        if not evidence.has_answers or not (pinged or evidence.misses_any):
            raise
        named = ", ".join(f"{node}: {each.label}" for node, each in suspects.items())
        told = [f"vifs do not carry packets with {named}", error.what]
        raise DriverFailed("\n".join((*told, *evidence.describe())), phase=phase) from error


def _decoded(crash: ConsoleFault, record: LabRecord) -> KernelFault:
    fault = crash.error
    known = (read_record(record.name) or record).debug_files  # as they are by now
    files = {module: Path(path) for node, module, path in known if node == crash.node}
    with contextlib.suppress(InputError, Unavailable, LabError):  # the trace is told as it is
        fault.excerpt = decode_trace(crash.excerpt, files, Deadline.after(DECODE_S))
    return fault
