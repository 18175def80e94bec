"""The outside peer's libvirt XML: a Linux without Xen at the other end of the machine's wire."""

from __future__ import annotations

import uuid
import xml.etree.ElementTree as ET
from dataclasses import replace

from xenlab.hypervisor.machine_xml import (
    MachineIdentity,
    add_cpu_and_ends,
    add_linux,
    add_qemu_arguments,
    add_standby_port,
    add_text,
    begin_devices,
    begin_domain,
    end_devices,
    finish,
)
from xenlab.hypervisor.qemu_devices import render_peer_arguments
from xenlab.plan.command_lines import render_peer_command_line
from xenlab.plan.model import DOM0, Accel, LabPlan, UplinkPlan
from xenlab.registry.places import LabPlaces

SUFFIX = "-peer"


def peer_uuid(machine_uuid: str) -> str:
    """The peer's, from that of the machine: who knows the one finds the other."""
    return str(uuid.uuid5(uuid.UUID(machine_uuid), SUFFIX)) if machine_uuid else ""


def peer_identity(machine: MachineIdentity) -> MachineIdentity:
    """What the peer of a machine is called."""
    return replace(machine, domain_name=machine.domain_name + SUFFIX, uuid=peer_uuid(machine.uuid))


def render_peer_xml(
    plan: LabPlan,
    uplink: UplinkPlan,
    places: LabPlaces,
    machine: MachineIdentity,
    accel: Accel,
    *,
    restored: bool = False,
) -> str:
    """The domain XML; `machine` is the identity of the machine that boots Xen.

    A `restored` machine has its memory already.
    """
    peer = uplink.peer
    domain = begin_domain(peer_identity(machine), places.name, accel)
    add_text(domain, "memory", str(peer.memory_mib), unit="MiB")
    add_text(domain, "vcpu", str(peer.vcpus))
    add_linux(domain, places, "peer.cpio", render_peer_command_line(), restored=restored)
    features = ET.SubElement(domain, "features")
    for name in ("acpi", "apic"):
        ET.SubElement(features, name)
    add_cpu_and_ends(domain, plan, accel)
    _add_devices(domain, plan, peer.name, places)
    add_qemu_arguments(domain, render_peer_arguments(peer.mac, places.wire))
    return finish(domain)


def _add_devices(domain: ET.Element, plan: LabPlan, name: str, places: LabPlaces) -> None:
    devices = ET.SubElement(domain, "devices")
    begin_devices(devices)
    serial = ET.SubElement(devices, "serial", type="file")
    log = places.inside(places.console_log(name))
    ET.SubElement(serial, "source", path=log, append="on")
    ET.SubElement(serial, "target", port="0")
    # `standby` calls the node that it runs on dom0.
    add_standby_port(devices, DOM0, places.standby_socket(plan.node_names.index(name)))
    end_devices(devices)
