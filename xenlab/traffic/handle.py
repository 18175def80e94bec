"""LabHandle: all that traffic and suites need of a running lab, and all that they may touch."""

from __future__ import annotations

from typing import Protocol

from xenlab.plan.model import LabPlan
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline


class LabHandle(Protocol):
    """A lab that is up. Its nodes are `dom0` and the domUs of its plan."""

    @property
    def plan(self) -> LabPlan:
        """What was decided: nodes, networks, addresses."""
        ...

    def shell(self, node: str) -> Shell:
        """The control channel of a node; never over a vif."""
        ...

    def console_bytes(self, node: str) -> bytes:
        """The whole console log since power-on; dom0's holds Xen's lines as well."""
        ...

    def vif(self, domu: str, index: int) -> str:
        """dom0's device for a domU's vif, such as `vif1.0`: the domid is not in the plan."""
        ...

    def restore_silence(self) -> None:
        """Static neighbours and nothing that talks by itself: only our packets are counted."""
        ...

    def budget(self, seconds: float) -> Deadline:
        """A deadline for what takes `seconds` on an ordinary machine, scaled to this one."""
        ...
