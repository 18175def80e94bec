"""Blame: whose fault it is that a lab does not come up: a kernel's, a driver's, or its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from xenlab.errors import (
    DriverFailed,
    InputError,
    KernelFault,
    LabError,
    Unavailable,
    XenlabError,
)
from xenlab.hypervisor.console import ConsoleLog
from xenlab.kernel.decoding import decode_trace
from xenlab.kernel.driver import Driver
from xenlab.lab import Lab
from xenlab.plan.model import DOM0, LabPlan
from xenlab.registry.record import LabRecord, read_record
from xenlab.verdict.console import scan_console
from xenlab.verdict.console_fault import ConsoleFault, find_crash
from xenlab.waiting import Deadline
from xenlab.xen.vif import Vif, read_negotiation

DECODE_S = 60.0
ASKING_S = 20.0


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
    """Connect vifs in here: where a driver under test is loaded, a failure is that driver's.

    Up to here every node has answered, and the machine has to run still: what failed is what the
    drivers were loaded for. Raises DriverFailed with both ends' states of every vif; and what it
    was where all drivers are the stock ones.
    """
    try:
        yield
    except LabError as error:
        suspects = [f"{node}: {each.label}" for node, each in drivers.items() if each.file]
        if not suspects:
            raise
        lab.machine.require_running()
        told = [f"vifs do not carry packets with {', '.join(suspects)}", error.what]
        raise DriverFailed("\n".join((*told, *_describe_vifs(lab))), phase=phase) from error


def _describe_vifs(lab: Lab) -> Iterator[str]:
    """The states of both ends of every vif, as far as dom0 can tell."""
    deadline = Deadline.after(ASKING_S)
    for domu in lab.plan.domus:
        for planned in domu.vifs:
            vif = Vif.parse(lab.vif(domu.name, planned.index))
            try:
                seen = read_negotiation(lab.shell(DOM0, deadline), vif, deadline)
            except XenlabError as error:
                yield f"{domu.name} {planned.device} ({vif}): {error.what}"
                continue
            back, front = (end.state if end else "absent" for end in (seen.backend, seen.frontend))
            yield f"{domu.name} {planned.device} ({vif}): frontend {front}, backend {back}"


def _decoded(crash: ConsoleFault, record: LabRecord) -> KernelFault:
    fault = crash.error
    known = (read_record(record.name) or record).debug_files  # as they are by now
    files = {module: Path(path) for node, module, path in known if node == crash.node}
    with contextlib.suppress(InputError, Unavailable):  # the trace is told as it is
        fault.excerpt = decode_trace(crash.excerpt, files, Deadline.after(DECODE_S))
    return fault
