"""The parts of libvirt XML that every machine of a lab has: identity, CPU, common devices."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from xenlab.plan.model import Accel, LabPlan
from xenlab.registry.places import LabPlaces

QEMU_NAMESPACE = "http://libvirt.org/schemas/domain/qemu/1.0"
LABELS_NAMESPACE = "https://xenlab.dev/labels/1"
EMULATOR = "/usr/bin/qemu-system-x86_64"
STANDBY_PORT_PREFIX = "standby."

ET.register_namespace("qemu", QEMU_NAMESPACE)
ET.register_namespace("xenlab", LABELS_NAMESPACE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineIdentity:
    """What tells one machine from another to libvirt, and whose it is."""

    domain_name: str
    uuid: str
    lab_id: str


def begin_domain(identity: MachineIdentity, lab: str, accel: Accel) -> ET.Element:
    """The domain, with its names."""
    domain = ET.Element("domain", type="kvm" if accel is Accel.KVM else "qemu")
    add_text(domain, "name", identity.domain_name)
    add_text(domain, "uuid", identity.uuid)
    labels = ET.SubElement(ET.SubElement(domain, "metadata"), f"{{{LABELS_NAMESPACE}}}lab")
    labels.set("id", identity.lab_id)
    labels.set("name", lab)
    return domain


def add_text(parent: ET.Element, tag: str, text: str, **attributes: str) -> ET.Element:
    """An element with a text; the element."""
    element = ET.SubElement(parent, tag, attributes)
    element.text = text
    return element


def add_linux(
    domain: ET.Element, places: LabPlaces, initrd: str, command_line: str, *, restored: bool
) -> None:
    """What a machine without Xen boots: dom0's kernel, by its PVH entry, the one that Xen takes.

    See hw/i386/x86.c, load_elfboot. A `restored` machine has its memory already, and needs the
    kernel's file for the boot ROM alone.
    """
    os_element = ET.SubElement(domain, "os")
    add_text(os_element, "type", "hvm", arch="x86_64", machine="q35")
    add_text(os_element, "kernel", places.inside(places.boot / "vmlinux"))
    if not restored:
        add_text(os_element, "initrd", places.inside(places.boot / initrd))
    add_text(os_element, "cmdline", command_line)


def add_cpu_and_ends(domain: ET.Element, plan: LabPlan, accel: Accel) -> None:
    """KVM passes the host's CPU (and its vmx/svm) through; TCG takes the plan's model.

    However a machine ends, it stays ended.
    """
    if accel is Accel.KVM:
        ET.SubElement(domain, "cpu", mode="host-passthrough")
    else:
        model, *flags = plan.machine.cpu_model.split(",")
        cpu = ET.SubElement(domain, "cpu", mode="custom", match="exact", check="none")
        add_text(cpu, "model", model, fallback="forbid")
        for flag in flags:
            policy = "disable" if flag.startswith("-") else "require"
            ET.SubElement(cpu, "feature", policy=policy, name=flag[1:])
    for event in ("on_poweroff", "on_reboot", "on_crash"):
        add_text(domain, event, "destroy")


def begin_devices(devices: ET.Element) -> None:
    """What comes first among the devices: the emulator, and no USB."""
    add_text(devices, "emulator", EMULATOR)
    ET.SubElement(devices, "controller", type="usb", model="none")


def end_devices(devices: ET.Element) -> ET.Element:
    """What comes last: no balloon, and a source of randomness, which is returned."""
    ET.SubElement(devices, "memballoon", model="none")
    rng = ET.SubElement(devices, "rng", model="virtio")
    add_text(rng, "backend", "/dev/urandom", model="random")
    return rng


def add_standby_port(devices: ET.Element, name: str, socket: Path) -> None:
    """The virtio port by which `standby` of a node is asked, and its socket on the host."""
    channel = ET.SubElement(devices, "channel", type="unix")
    ET.SubElement(channel, "source", mode="bind", path=str(socket))
    ET.SubElement(channel, "target", type="virtio", name=STANDBY_PORT_PREFIX + name)


def add_qemu_arguments(domain: ET.Element, arguments: Iterable[str]) -> None:
    """QEMU's own words, behind all that libvirt makes of the elements."""
    commandline = ET.SubElement(domain, f"{{{QEMU_NAMESPACE}}}commandline")
    for value in arguments:
        ET.SubElement(commandline, f"{{{QEMU_NAMESPACE}}}arg", value=value)


def finish(domain: ET.Element) -> str:
    """The text."""
    ET.indent(domain)
    return ET.tostring(domain, encoding="unicode")
