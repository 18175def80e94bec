"""Lab: a running lab in one's hands: its plan, a shell on every node, its consoles."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import libvirt

from xenlab.errors import InputError
from xenlab.hypervisor.console import ConsoleLog
from xenlab.hypervisor.daemon import LibvirtDaemon, connect
from xenlab.hypervisor.machine import Machine
from xenlab.plan.model import DOM0, LabPlan
from xenlab.registry.places import LabPlaces
from xenlab.registry.record import LabRecord
from xenlab.registry.selection import choose_lab, require_up
from xenlab.topology.wording import did_you_mean, list_names, quote
from xenlab.transport.keys import SshKeys
from xenlab.transport.ssh import SshShell
from xenlab.waiting import Deadline

CONTROL_BUDGET_S = 60.0


@dataclass(slots=True, kw_only=True)
class Lab:
    """A lab that is up. Closing it closes our connections and leaves the lab running."""

    record: LabRecord
    plan: LabPlan
    places: LabPlaces
    connection: libvirt.virConnect
    machine: Machine
    _shells: dict[str, SshShell] = field(default_factory=dict)

    @property
    def keys(self) -> SshKeys:
        """The keys of this lab."""
        return SshKeys(directory=self.places.keys)

    def ssh_port(self) -> int:
        """dom0's SSH on this host's loopback."""
        return self.machine.forwarded_ssh_port()

    def shell(self, node: str, deadline: Deadline | None = None) -> SshShell:
        """The shell of dom0 or a domU, connected on first use."""
        if node not in self._shells:
            deadline = deadline or Deadline.after(CONTROL_BUDGET_S)
            self._shells[node] = self._connect(node, deadline)
        return self._shells[node]

    def _connect(self, node: str, deadline: Deadline) -> SshShell:
        self.machine.require_running()
        if node == DOM0:
            return SshShell.connect_tcp(DOM0, self.ssh_port(), self.keys, deadline)
        return self.shell(DOM0, deadline).connect_vchan(
            node, self.domid(node), self.keys, deadline
        )

    def require_node(self, name: str) -> None:
        """Nothing, or InputError with the nodes there are."""
        known = self.plan.node_names
        if name not in known:
            raise InputError(
                f"no node {quote(name)} in lab {self.record.name}{did_you_mean(name, known)}"
                f" (there are {list_names(known)})"
            )

    def domid(self, domu: str) -> int:
        """The number Xen gave a domU."""
        self.require_node(domu)
        return dict(self.record.domids)[domu]

    def vif(self, domu: str, index: int) -> str:
        """dom0's end of a vif, such as `vif3.0`."""
        return f"vif{self.domid(domu)}.{index}"

    def console(self, node: str) -> ConsoleLog:
        """The console of a node, whole; `dom0` holds Xen's lines too."""
        return ConsoleLog(path=self.places.console_log(node))

    def console_bytes(self, node: str) -> bytes:
        """What a node has said since power-on."""
        return self.console(node).read()

    def disconnect(self) -> None:
        """Close every control connection: domUs first, since theirs run through dom0."""
        for node in sorted(self._shells, key=lambda name: name == DOM0):
            self._shells.pop(node).close()

    def close(self) -> None:
        """Let go of the lab."""
        self.disconnect()
        with contextlib.suppress(libvirt.libvirtError):
            self.connection.close()


def attach_lab(record: LabRecord) -> Lab:
    """Take a running lab in hand by its record."""
    plan = LabPlan.from_json(record.plan_json)
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
