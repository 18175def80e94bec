"""Booting a machine cold, and waiting until every node says on its console that it answers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from xenlab.errors import BootFailed, WaitTimedOut
from xenlab.lab import Lab
from xenlab.life.phases import Phases
from xenlab.life.standstill import ask_for_dom0
from xenlab.plan.model import DOM0
from xenlab.traffic.vigil import Vigil
from xenlab.verdict.fault_table import Category
from xenlab.waiting import Deadline, wait_until

READY = "xenlab: {node} is ready"
BOOT_DOM0 = "boot Xen and dom0"
BOOT_LINUX = "boot Linux without Xen"
CREATE_FAILED = re.compile(rb"xenlab: (xl create \S+ returned .*)")
FINAL = frozenset({Category.PANIC, Category.XEN_PANIC, Category.DOMAIN_CRASH})
TAIL_LINES = 50
BOOT_BUDGET_S = 300.0
# Xen and dom0 from power-on under TCG on two idle cores: how much longer it took is how slow a host
# is that has nothing up yet which could be asked.
ORDINARY_DOM0_S = 12.0
# How long a boot may take before its emulated CPUs are looked at for stale code, and then again.
SUSPICION_S = 30.0


@dataclass(slots=True, kw_only=True)
class BootWatch:
    """Watches the consoles of machines that boot."""

    lab: Lab
    phases: Phases
    deadline: Deadline
    vigil: Vigil = field(init=False)
    _suspicion: Deadline = field(default_factory=lambda: Deadline.after(SUSPICION_S))

    def __post_init__(self) -> None:
        self.vigil = Vigil(lab=self.lab)

    def wait_for_all(self) -> Deadline:
        """Wait until dom0 and every domU are ready; BootFailed with the console's end if not.

        The deadline of what is left to do is that of the boot, scaled to how slow dom0's was.
        """
        phase = BOOT_DOM0 if self.lab.plan.xen.boot else BOOT_LINUX
        with self.phases.run(phase):
            self._wait_for(DOM0)
        self.deadline = scale_boot(self.deadline, self.phases.elapsed_s[phase])
        for node in self.lab.plan.node_names[1:]:
            with self.phases.run(f"boot {node}"):
                self._wait_for(node)
        return self.deadline

    def _wait_for(self, node: str) -> None:
        console = self.lab.console(node)
        marker = READY.format(node=node).encode()

        def ready() -> bool | None:
            if console.has(marker):
                return True
            self._require_hope(node)
            return None

        try:
            wait_until(ready, f"{node} to say `{marker.decode()}`", self.deadline)
        except WaitTimedOut as error:
            raise self._hang(node, error.what) from error

    def _require_hope(self, node: str) -> None:
        """Nothing while the node can still come up; BootFailed as soon as it cannot.

        KernelFault where a kernel ended: the words of a panic alone, in whatever else a console
        shows, are none; what a kernel may outlive, such as a lockup on a slow host, is waited out.
        """
        state = self.lab.machine_of(node).state()
        if state != "running":
            raise self._failure(node, f"the machine is {state}")
        for crash in self.vigil.take_crashes():
            if crash.category in FINAL:
                raise crash.error
        refused = CREATE_FAILED.search(self.lab.console_bytes(DOM0))
        if refused:
            raise self._failure(DOM0, refused[1].decode(errors="replace").strip())
        if self._suspicion.expired and self.lab.on_emulated_cpu:
            self.lab.machine_of(node).require_fresh_code()
            self._suspicion = Deadline.after(SUSPICION_S)

    def _hang(self, node: str, what: str) -> BootFailed:
        """The error of a node that never got ready: its own last lines, and where it stands."""
        own = self.lab.console(node).tail(TAIL_LINES)
        asked = node == DOM0 and self.lab.plan.xen.boot
        stands = f"; {ask_for_dom0(self.lab)}" if asked else ""
        return self._failure(node, f"{node} hangs: {what}{stands}", own)

    def _failure(self, node: str, what: str, tail: tuple[str, ...] | None = None) -> BootFailed:
        console = self.lab.console(node)
        return BootFailed(
            what,
            phase=self.phases.current,
            console_tail=console.tail(TAIL_LINES) if tail is None else tail,
            log_path=str(console.path),
            try_next="xenlab doctor",
        )


def scale_boot(deadline: Deadline, dom0_s: float) -> Deadline:
    """A deadline made for an ordinary host, on one whose dom0 took so long to be ready."""
    slowness = max(1.0, dom0_s / ORDINARY_DOM0_S)
    return deadline.later(BOOT_BUDGET_S * (slowness - 1.0))
