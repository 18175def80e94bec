"""Blame: a lab that does not come up because one of its kernels crashed is that kernel's fault."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from xenlab.errors import InputError, KernelFault, LabError, Unavailable
from xenlab.hypervisor.console import ConsoleLog
from xenlab.kernel.decoding import decode_trace
from xenlab.plan.model import LabPlan
from xenlab.registry.record import LabRecord
from xenlab.verdict.console import scan_console
from xenlab.verdict.console_fault import ConsoleFault, find_crash
from xenlab.waiting import Deadline

DECODE_S = 60.0


@contextlib.contextmanager
def blaming_kernels(plan: LabPlan, record: LabRecord) -> Iterator[None]:
    """An error of the lab becomes a KernelFault, decoded, where a console tells of a crash."""
    try:
        yield
    except (LabError, KernelFault) as error:
        for node in plan.node_names:
            log = ConsoleLog(path=record.places.console_log(node))
            crash = find_crash(scan_console(node, log.read()))
            if crash is not None:
                fault = _decoded(crash, record)
                fault.phase, fault.log_path = error.phase, str(log.path)
                raise fault from error
        raise


def _decoded(crash: ConsoleFault, record: LabRecord) -> KernelFault:
    fault = crash.error
    files = {module: Path(path) for node, module, path in record.debug_files if node == crash.node}
    with contextlib.suppress(InputError, Unavailable):  # the trace is told as it is
        fault.excerpt = decode_trace(crash.excerpt, files, Deadline.after(DECODE_S))
    return fault
