"""LabHandle: all that traffic and suites need of a running lab, and all that they may touch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from xenlab.errors import KernelFault
from xenlab.plan.model import LabPlan
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline


class LabHandle(Protocol):
    """A lab that is up. Its nodes are `dom0` and the domUs of its plan."""

    @property
    def plan(self) -> LabPlan:
        """What was decided: nodes, networks, addresses."""
        ...

    @property
    def on_emulated_cpu(self) -> bool:
        """Whether QEMU emulates the CPU that Xen runs on, SVM and all."""
        ...

    def shell(self, node: str) -> Shell:
        """The control channel of a node; never over a vif."""
        ...

    def console_bytes(self, node: str, start: int = 0) -> bytes:
        """The console log since power-on, or behind `start`; dom0's holds Xen's lines as well."""
        ...

    def forsake(self, node: str, fault: KernelFault) -> None:
        """End what waits for a kernel that crashed; from then on its shell is this fault."""
        ...

    def debug_files(self, node: str) -> Mapping[str, Path]:
        """Files with debug info for what a node runs, by module; the kernel's own is `vmlinux`."""
        ...

    def require_machine(self) -> None:
        """Nothing, or LabError where what is below Xen does not run as it should, or not at all."""
        ...

    def host_delay_ms(self) -> int | None:
        """How long the host has not run the machine's CPUs when they could, in ms since power-on.

        The sum of all CPUs, so that no silence in a lab owes more to the host; None if it is not
        told. May be asked by several threads.
        """
        ...

    def machine_busy_ns(self) -> int | None:
        """CPU time of the host that the machine's CPUs took, Xen and all nodes in it: ns.

        What else the host runs is not in it; None if it is not told.
        """
        ...

    def send_nmi(self) -> None:
        """Have Xen dump its registers, and end."""
        ...

    def vif(self, domu: str, index: int) -> str:
        """The backend's device for a domU's vif, such as `vif1.0`: the domid is not in the plan."""
        ...

    def domid(self, domu: str) -> int:
        """The number that Xen gave a domU; dom0's is 0."""
        ...

    def renumber(self, domu: str, domid: int) -> None:
        """A domU was made anew, and has this number now; its old control channel is closed."""
        ...

    def driver(self, node: str) -> str:
        """The name of the driver that a node was brought up with, such as `stock` or a series'."""
        ...

    def max_skb_frags(self, node: str) -> int:
        """MAX_SKB_FRAGS of the kernel that runs there."""
        ...

    def restore_silence(self) -> None:
        """Static neighbours and nothing that talks by itself: only our packets are counted."""
        ...

    def budget(self, seconds: float) -> Deadline:
        """A deadline for what takes `seconds` on an ordinary machine, scaled to this one."""
        ...
