"""Lab: a running lab in one's hands: its plan, a shell on every node, its consoles."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import libvirt

from xenlab.errors import GuestLost, InputError, LabError
from xenlab.hypervisor.console import ConsoleLog
from xenlab.hypervisor.daemon import LibvirtDaemon, connect
from xenlab.hypervisor.machine import Machine
from xenlab.plan.model import DOM0, LabPlan
from xenlab.registry.places import LabPlaces
from xenlab.registry.record import LabRecord, LabState, read_record
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

    def domid(self, domu: str) -> int:
        """The number Xen gave a domU."""
        domids = dict(self.record.domids)
        if domu not in domids:
            known = ", ".join(self.plan.node_names)
            raise InputError(f"no node {domu!r} in lab {self.record.name} (there are {known})")
        return domids[domu]

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


def find_record(name: str) -> LabRecord:
    """The record of a lab that is up; InputError or GuestLost with what to do otherwise."""
    record = read_record(name)
    if record is None:
        raise InputError(f"there is no lab {name!r}", try_next=f"xenlab up --lab {name}")
    if record.state is LabState.STARTING and record.alive:
        raise LabError(f"lab {name} is still being brought up", try_next="xenlab status")
    if not record.alive:
        raise GuestLost(
            f"lab {name} has died: its processes are gone", try_next=f"xenlab down {name}"
        )
    return record


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
def open_lab(name: str) -> Iterator[Lab]:
    """A running lab by name, let go at the end."""
    lab = attach_lab(find_record(name))
    try:
        yield lab
    finally:
        lab.close()
