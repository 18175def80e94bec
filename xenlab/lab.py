"""Lab: a running lab in one's hands: its plan, a shell on every node, its consoles."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from xenlab.errors import KernelFault, LabError
from xenlab.hypervisor.connection import Connection, connect
from xenlab.hypervisor.console import ConsoleLog
from xenlab.hypervisor.daemon import LibvirtDaemon
from xenlab.hypervisor.existing_host import ExistingHost
from xenlab.hypervisor.machine import Machine
from xenlab.hypervisor.peer_xml import peer_uuid
from xenlab.kernel.driver import STOCK
from xenlab.plan.model import DOM0, LabPlan
from xenlab.registry.places import LabPlaces
from xenlab.registry.record import LabRecord
from xenlab.registry.selection import choose_lab, require_up
from xenlab.traffic.consoles import read_crashes
from xenlab.traffic.silence import await_silence
from xenlab.transport.keys import SshKeys
from xenlab.transport.ssh import SshShell
from xenlab.verdict.console import XEN
from xenlab.waiting import Deadline

CONTROL_BUDGET_S = 60.0
# MAX_SKB_FRAGS until somebody sets it lower (net/core/sysctl_net_core.c).
MAX_SKB_FRAGS = "/proc/sys/net/core/max_skb_frags"
# A command that does nothing, from here into dom0 and back, under TCG on two idle cores.
ORDINARY_COMMAND_S = 0.1


@dataclass(slots=True, kw_only=True)
class Lab:
    """A lab that is up. Closing it closes our connections and leaves the lab running.

    A connection that broke is made anew on the next use; what runs over it at that time fails, with
    GuestLost if the machine has died.
    """

    record: LabRecord
    plan: LabPlan
    places: LabPlaces
    connection: Connection | ExistingHost
    machine: Machine | ExistingHost
    _shells: dict[str, SshShell] = field(default_factory=dict)
    _connecting: dict[str, threading.Lock] = field(default_factory=dict)
    _lost: dict[str, KernelFault] = field(default_factory=dict)
    _slowness: float | None = None
    _max_skb_frags: dict[str, int] = field(default_factory=dict)

    @property
    def keys(self) -> SshKeys:
        """The keys of this lab."""
        return SshKeys(directory=self.places.keys)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What went wrong around the lab and was mended, such as a libvirtd that died."""
        return tuple(self.connection.warnings)

    @property
    def on_emulated_cpu(self) -> bool:
        """Whether QEMU emulates the CPU that Xen runs on, SVM and all."""
        return self.record.on_emulated_cpu

    def machine_of(self, node: str) -> Machine | ExistingHost:
        """The machine that a node lives in: the one with Xen, but for the outside peer."""
        if isinstance(self.machine, ExistingHost) or not self.plan.is_peer(node):
            return self.machine
        return Machine(connection=self.machine.connection, uuid=peer_uuid(self.machine.uuid))

    def ssh_port(self, node: str = DOM0) -> int:
        """The SSH of dom0, or of the outside peer, on this host's loopback."""
        return self.machine_of(node).forwarded_ssh_port()

    def shell(self, node: str, deadline: Deadline | None = None) -> SshShell:
        """The shell of dom0 or a domU, connected on first use."""
        self._require_kept(node)
        # One thread connects, and whoever wants the same node meanwhile waits: a domU wants dom0.
        with self._connecting.setdefault(node, threading.Lock()):
            shell = self._shells.get(node)
            if shell is None or not shell.connected:
                deadline = deadline or Deadline.after(CONTROL_BUDGET_S)
                shell = self._shells[node] = self._connect(node, deadline)
            return shell

    def _connect(self, node: str, deadline: Deadline) -> SshShell:
        machine = self.machine_of(node)
        machine.require_running()
        if isinstance(machine, ExistingHost) and node == DOM0:
            return machine.connect_dom0(self.keys, deadline, partial(self._require_life, node))
        if node == DOM0 or self.plan.is_peer(node):
            return SshShell.connect_tcp(
                node, self.ssh_port(node), self.keys, deadline, partial(self._require_life, node)
            )
        return self.shell(DOM0, deadline).connect_vchan(
            node, self.domid(node), self.keys, deadline, partial(self._require_life, node)
        )

    def forsake(self, node: str, fault: KernelFault) -> None:
        """End all that waits for a kernel that crashed; whoever asks for it again gets its fault.

        Without dom0, or Xen, no domU can be asked either.
        """
        self._lost[DOM0 if node == XEN else node] = fault
        for name in list(self._shells):
            if node in {name, DOM0, XEN}:
                self._shells.pop(name).close()

    def _require_kept(self, node: str) -> None:
        lost = self._lost.get(node) or self._lost.get(DOM0)
        if lost is not None:
            raise type(lost)(lost.node, lost.fingerprint, lost.excerpt)

    def _require_life(self, node: str) -> None:
        """Asked when a connection to a node failed: raises KernelFault or GuestLost where it died.

        dom0's console tells of Xen as well, and of domUs that Xen ended.
        """
        self._require_kept(node)
        for fault in read_crashes(self, DOM0, node):
            if fault.node in {DOM0, XEN, node}:
                raise fault.error
        self.machine_of(node).require_life()

    def require_machine(self) -> None:
        """Nothing, or LabError where the machine below Xen is to blame."""
        self.machine.require_sanity()

    def host_delay_ms(self) -> int | None:
        """How long the host has not run CPUs of the machine that could run: ms since power-on."""
        return self.machine.host_delay_ms()

    def machine_busy_ns(self) -> int | None:
        """CPU time of the host that the machine's CPUs took: ns since power-on."""
        return self.machine.busy_ns()

    def send_nmi(self) -> None:
        """An NMI to the machine: Xen dumps its registers and ends."""
        self.machine.send_nmi()

    def debug_files(self, node: str) -> Mapping[str, Path]:
        """The files with debug info that are known for what a node runs, by module name."""
        return self.record.debug_files_of(node)

    def require_node(self, name: str) -> None:
        """Nothing, or InputError with the nodes there are."""
        self.plan.require_node(name, of=f"lab {self.record.name}")

    def domid(self, domu: str) -> int:
        """The number Xen gave a domU; dom0's is 0."""
        self.require_node(domu)
        if domu == DOM0:
            return 0
        domids = dict(self.record.domids)
        if domu not in domids:
            raise LabError(f"{domu} has no number yet")
        return domids[domu]

    def renumber(self, domu: str, domid: int) -> None:
        """A domU was made anew: from now on it is the one of this number."""
        self.domid(domu)
        domids = {**dict(self.record.domids), domu: domid}
        self.record = replace(self.record, domids=tuple(domids.items()))
        self.record.write()
        if domu in self._shells:
            self._shells.pop(domu).close()

    def vif(self, domu: str, index: int) -> str:
        """The backend's end of a vif, such as `vif3.0`."""
        return f"vif{self.domid(domu)}.{index}"

    def driver(self, node: str) -> str:
        """The name of the driver that a node was brought up with."""
        label = dict(self.record.drivers).get(node, STOCK)
        return label.partition(" ")[0]

    def console(self, node: str) -> ConsoleLog:
        """The console of a node, whole; `dom0` holds Xen's lines too, but not those of a host."""
        if isinstance(self.machine, ExistingHost):
            self.machine.refresh_consoles()
        return ConsoleLog(path=self.places.console_log(node))

    def console_bytes(self, node: str, start: int = 0) -> bytes:
        """What a node has said since power-on, or behind that many bytes."""
        return self.console(node).read(start)

    def slowness(self) -> float:
        """How many times slower than an ordinary host this one is, measured once; at least 1."""
        if self._slowness is None:
            deadline = Deadline.after(CONTROL_BUDGET_S)
            idle = self.shell(DOM0, deadline).run(["true"], deadline=deadline)
            self._slowness = max(1.0, idle.elapsed_s / ORDINARY_COMMAND_S)
        return self._slowness

    def budget(self, seconds: float) -> Deadline:
        """A deadline for what takes `seconds` on an ordinary host, scaled to this one."""
        return Deadline.after(seconds * self.slowness())

    def restore_silence(self) -> None:
        """Return once no node has anything left to say and no device of a network counts."""
        await_silence(self)

    def max_skb_frags(self, node: str) -> int:
        """MAX_SKB_FRAGS of a node's kernel, which its setting cannot be over; asked once."""
        if node not in self._max_skb_frags:
            deadline, shell = Deadline.after(CONTROL_BUDGET_S), self.shell(node)
            self._max_skb_frags[node] = int(shell.read_file(MAX_SKB_FRAGS, deadline=deadline))
        return self._max_skb_frags[node]

    def disconnect(self) -> None:
        """Close every control connection: domUs first, since theirs run through dom0."""
        for node in sorted(self._shells, key=lambda name: name == DOM0):
            self._shells.pop(node).close()

    def close(self) -> None:
        """Let go of the lab."""
        self.disconnect()
        self.connection.close()


def attach_lab(record: LabRecord) -> Lab:
    """Take a running lab in hand by its record."""
    plan = LabPlan.from_json(record.plan_json)
    if plan.host is not None:
        host = ExistingHost(plan=plan.host, nodes=plan.domain_names, logs=record.places.logs)
        return Lab(record=record, plan=plan, places=record.places, connection=host, machine=host)
    daemon = LibvirtDaemon(places=record.places, lab_id=record.lab_id)
    uri = record.connect_uri or daemon.uri
    connection = connect(uri, Deadline.after(CONTROL_BUDGET_S))
    machine = Machine.find(connection, record.machine_uuid)
    return Lab(
        record=record, plan=plan, places=record.places, connection=connection, machine=machine
    )


@contextlib.contextmanager
def open_lab(name: str | None = None) -> Iterator[Lab]:
    """A running lab by name, or the only one there is; let go at the end."""
    lab = attach_lab(require_up(choose_lab(name)))
    try:
        yield lab
    finally:
        lab.close()
