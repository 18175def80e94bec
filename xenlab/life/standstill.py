"""Standstill: where a dom0 stands that does not get ready; Xen tells, dom0 is not asked."""

from __future__ import annotations

import re
from functools import partial

from xenlab.hypervisor.xen_keys import press_key
from xenlab.lab import Lab
from xenlab.waiting import Deadline

# Xen shows the registers of each of dom0's CPUs (xen/common/keyhandler.c, dump_hwdom_registers).
DOM0_REGISTERS = "0"
TOLD_S = 10.0
NOT_TOLD = "Xen takes no key either: it hangs itself, or the machine does"
CPU = re.compile(
    rb"\*\*\* Dumping Dom0 vcpu#(\d+) state: \*\*\*[^*]*?RIP:\s+[0-9a-f]+:\[<([0-9a-f]+)>\]"
)


def ask_for_dom0(lab: Lab) -> str:
    """Where Xen finds each of dom0's CPUs, by address; or that Xen tells nothing.

    Registers and stacks are in the log of dom0's console.
    """
    read = partial(find_cpus, cpus=lab.plan.dom0.vcpus)
    stands = press_key(lab.places.serial_socket, DOM0_REGISTERS, read, Deadline.after(TOLD_S))
    return f"Xen takes keys, and finds {', '.join(stands)}" if stands else NOT_TOLD


def find_cpus(said: bytes, cpus: int) -> tuple[str, ...] | None:
    """Where each CPU of dom0 is, by what Xen shows of all of them; None before it has."""
    found = CPU.findall(said)
    if len(found) < cpus:
        return None
    return tuple(f"dom0's vCPU {cpu.decode()} at {address.decode()}" for cpu, address in found)
