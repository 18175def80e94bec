"""The machine's libvirt XML: pure, from the plan; every path as the sandboxed daemon sees it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass

from xenlab.hypervisor.qemu_devices import (
    needs_translation,
    render_iommu_arguments,
    render_management_nic,
)
from xenlab.plan.command_lines import render_dom0_command_line, render_xen_command_line
from xenlab.plan.model import Accel, Iommu, LabPlan
from xenlab.registry.places import LabPlaces

QEMU_NAMESPACE = "http://libvirt.org/schemas/domain/qemu/1.0"
LABELS_NAMESPACE = "https://xenlab.dev/labels/1"
EMULATOR = "/usr/bin/qemu-system-x86_64"
CONSOLE_PORT_PREFIX = "console."
STANDBY_PORT_PREFIX = "standby."

ET.register_namespace("qemu", QEMU_NAMESPACE)
ET.register_namespace("xenlab", LABELS_NAMESPACE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineIdentity:
    """What tells one machine from another to libvirt, and whose it is."""

    domain_name: str
    uuid: str
    lab_id: str


def render_domain_xml(
    plan: LabPlan,
    places: LabPlaces,
    identity: MachineIdentity,
    accel: Accel,
    *,
    restored: bool = False,
) -> str:
    """The domain XML of the QEMU machine that boots Xen; `accel` is the proved one, not `auto`.

    A `restored` machine has its memory already: QEMU only needs Xen's file again, because its
    multiboot boot ROM is a part of the saved machine.
    """
    domain = ET.Element("domain", type="kvm" if accel is Accel.KVM else "qemu")
    _text(domain, "name", identity.domain_name)
    _text(domain, "uuid", identity.uuid)
    labels = ET.SubElement(ET.SubElement(domain, "metadata"), f"{{{LABELS_NAMESPACE}}}lab")
    labels.set("id", identity.lab_id)
    labels.set("name", places.name)
    _text(domain, "memory", str(plan.machine.memory_mib), unit="MiB")
    _text(domain, "vcpu", str(plan.machine.cpus))
    _add_boot(domain, plan, places, restored=restored)
    features = ET.SubElement(domain, "features")
    ET.SubElement(features, "acpi")
    ET.SubElement(features, "apic")
    if plan.machine.iommu is not Iommu.NONE:
        ET.SubElement(features, "ioapic", driver="qemu")
    _add_cpu(domain, plan, accel)
    for event in ("on_poweroff", "on_reboot", "on_crash"):
        _text(domain, event, "destroy")
    _add_devices(domain, plan, places)
    _add_qemu_arguments(domain, plan)
    ET.indent(domain)
    return ET.tostring(domain, encoding="unicode")


def render_dom0_module(plan: LabPlan, places: LabPlaces) -> str:
    """QEMU's `-initrd` string: the multiboot modules dom0's kernel (with arguments) and its initrd.

    QEMU takes all behind the first blank as arguments and splits modules at commas, which are
    written double (QEMU hw/i386/multiboot.c, load_multiboot).
    """
    kernel = places.inside(places.boot / "vmlinux")
    initrd = places.inside(places.boot / "initrd.cpio")
    arguments = render_dom0_command_line(plan).replace(",", ",,")
    return f"{kernel} {arguments},{initrd}"


def _text(parent: ET.Element, tag: str, text: str, **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, tag, attributes)
    element.text = text
    return element


def _add_boot(domain: ET.Element, plan: LabPlan, places: LabPlaces, *, restored: bool) -> None:
    os_element = ET.SubElement(domain, "os")
    _text(os_element, "type", "hvm", arch="x86_64", machine="q35")
    _text(os_element, "kernel", places.inside(places.boot / "xen"))
    if not restored:
        _text(os_element, "initrd", render_dom0_module(plan, places))
    _text(os_element, "cmdline", render_xen_command_line(plan))


def _add_cpu(domain: ET.Element, plan: LabPlan, accel: Accel) -> None:
    """KVM passes the host's CPU (and its vmx/svm) through; TCG takes the plan's model."""
    if accel is Accel.KVM:
        ET.SubElement(domain, "cpu", mode="host-passthrough")
        return
    model, *flags = plan.machine.cpu_model.split(",")
    cpu = ET.SubElement(domain, "cpu", mode="custom", match="exact", check="none")
    _text(cpu, "model", model, fallback="forbid")
    for flag in flags:
        policy = "disable" if flag.startswith("-") else "require"
        ET.SubElement(cpu, "feature", policy=policy, name=flag[1:])


def _add_devices(domain: ET.Element, plan: LabPlan, places: LabPlaces) -> None:
    devices = ET.SubElement(domain, "devices")
    _text(devices, "emulator", EMULATOR)
    ET.SubElement(devices, "controller", type="usb", model="none")
    serial = ET.SubElement(devices, "serial", type="unix")
    ET.SubElement(serial, "source", mode="bind", path=str(places.run / "sockets" / "console"))
    ET.SubElement(serial, "log", file=places.inside(places.console_log("dom0")), append="on")
    ET.SubElement(serial, "target", port="0")
    for domu in plan.domus:
        channel = ET.SubElement(devices, "channel", type="file")
        log = places.inside(places.console_log(domu.name))
        ET.SubElement(channel, "source", path=log, append="on")
        ET.SubElement(channel, "target", type="virtio", name=CONSOLE_PORT_PREFIX + domu.name)
    for index, node in enumerate(plan.node_names):
        channel = ET.SubElement(devices, "channel", type="unix")
        ET.SubElement(channel, "source", mode="bind", path=str(places.standby_socket(index)))
        ET.SubElement(channel, "target", type="virtio", name=STANDBY_PORT_PREFIX + node)
    if plan.machine.iommu is Iommu.INTEL:
        remaps = "on" if plan.machine.interrupt_remapping else "off"
        iommu = ET.SubElement(devices, "iommu", model="intel")
        # x2APIC (eim) is not there under emulation before QEMU 9.0.
        ET.SubElement(iommu, "driver", intremap=remaps, eim="off")
    ET.SubElement(devices, "memballoon", model="none")
    rng = ET.SubElement(devices, "rng", model="virtio")
    _text(rng, "backend", "/dev/urandom", model="random")
    if needs_translation(plan):
        ports = ET.SubElement(devices, "controller", type="virtio-serial", index="0")
        for device in (ports, rng):
            ET.SubElement(device, "driver", iommu="on")


def _add_qemu_arguments(domain: ET.Element, plan: LabPlan) -> None:
    """What libvirt 9.0 has no element for: the management network, and a part of IOMMUs.

    The kernel picks the forwarded port (0) at bind time, so no port can be taken in between.
    """
    netdev = "user,id=management,restrict=on,hostfwd=tcp:127.0.0.1:0-:22"
    arguments = ["-netdev", netdev, "-device", render_management_nic(plan)]
    arguments += render_iommu_arguments(plan.machine)
    commandline = ET.SubElement(domain, f"{{{QEMU_NAMESPACE}}}commandline")
    for value in arguments:
        ET.SubElement(commandline, f"{{{QEMU_NAMESPACE}}}arg", value=value)
