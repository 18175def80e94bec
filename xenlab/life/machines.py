"""The machines of one lab: that which boots Xen, and the outside peer's if there is one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from xenlab.hypervisor.connection import Connection
from xenlab.hypervisor.domain_xml import render_domain_xml
from xenlab.hypervisor.machine import Machine
from xenlab.hypervisor.machine_xml import MachineIdentity
from xenlab.hypervisor.peer_xml import render_peer_xml
from xenlab.lab import Lab
from xenlab.plan.model import Accel, LabPlan
from xenlab.registry.record import LabRecord

PEER_MEMORY_SUFFIX = "-peer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """What a lab's machines will be; `name` is that of the one that boots Xen."""

    plan: LabPlan
    record: LabRecord
    accel: Accel
    name: str

    @property
    def identity(self) -> MachineIdentity:
        """Of the machine that boots Xen; the peer's follows from it."""
        return MachineIdentity(
            domain_name=self.name, uuid=self.record.machine_uuid, lab_id=self.record.lab_id
        )

    def start(self, connection: Connection) -> None:
        """Power on, the peer first: it holds the wire."""
        definitions = self._render(restored=False)
        for machine in [Machine.define(connection, xml) for xml in definitions]:
            machine.start()

    def restore(self, connection: Connection, memory: str) -> None:
        """Let them go on from what was saved: at `memory`, and beside it."""
        *peer, machine = self._render(restored=True)
        for xml in peer:
            Machine.restore(connection, memory + PEER_MEMORY_SUFFIX, xml)
        Machine.restore(connection, memory, machine)

    def _render(self, *, restored: bool) -> list[str]:
        """The domain XML of each, the machine that boots Xen the last."""
        plan, places = self.plan, self.record.places
        found = [
            render_peer_xml(plan, uplink, places, self.identity, self.accel, restored=restored)
            for uplink in plan.uplinks
        ]
        machine = render_domain_xml(plan, places, self.identity, self.accel, restored=restored)
        return [*found, machine]


def save_machines(lab: Lab, memory: Path) -> None:
    """Save their memory; they run on. Nobody sends anything over the wire meanwhile."""
    path = lab.places.inside(memory)
    lab.machine.save_and_go_on(path)
    if lab.plan.uplink is not None:
        lab.machine_of(lab.plan.uplink.peer.name).save_and_go_on(path + PEER_MEMORY_SUFFIX)
