"""The machine's libvirt XML: pure, from the plan; every path as the sandboxed daemon sees it."""

from __future__ import annotations

import xml.etree.ElementTree as ET

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
from xenlab.hypervisor.qemu_devices import (
    MANAGEMENT_NETDEV,
    needs_translation,
    render_iommu_arguments,
    render_management_nic,
    render_uplink_arguments,
)
from xenlab.plan.command_lines import render_dom0_command_line, render_xen_command_line
from xenlab.plan.model import Accel, Iommu, LabPlan
from xenlab.registry.places import LabPlaces

CONSOLE_PORT_PREFIX = "console."


def render_domain_xml(
    plan: LabPlan,
    places: LabPlaces,
    identity: MachineIdentity,
    accel: Accel,
    *,
    restored: bool = False,
) -> str:
    """The domain XML of the QEMU machine that boots Xen; `accel` is the proved one, not `auto`.

    In a control without Xen it boots dom0's kernel itself. A `restored` machine has its memory
    already: QEMU only needs the file of Xen, or of that kernel, again, because its boot ROM is a
    part of the saved machine.
    """
    domain = begin_domain(identity, places.name, accel)
    add_text(domain, "memory", str(plan.machine.memory_mib), unit="MiB")
    add_text(domain, "vcpu", str(plan.machine.cpus))
    if plan.xen.boot:
        _add_boot(domain, plan, places, restored=restored)
    else:
        command_line = render_dom0_command_line(plan)
        add_linux(domain, places, "initrd.cpio", command_line, restored=restored)
    features = ET.SubElement(domain, "features")
    ET.SubElement(features, "acpi")
    ET.SubElement(features, "apic")
    if plan.machine.iommu is not Iommu.NONE:
        ET.SubElement(features, "ioapic", driver="qemu")
    add_cpu_and_ends(domain, plan, accel)
    _add_devices(domain, plan, places)
    _add_qemu_arguments(domain, plan, places)
    return finish(domain)


def render_dom0_module(plan: LabPlan, places: LabPlaces) -> str:
    """QEMU's `-initrd` string: the multiboot modules dom0's kernel (with arguments) and its initrd.

    QEMU takes all behind the first blank as arguments and splits modules at commas, which are
    written double (QEMU hw/i386/multiboot.c, load_multiboot).
    """
    kernel = places.inside(places.boot / "vmlinux")
    initrd = places.inside(places.boot / "initrd.cpio")
    arguments = render_dom0_command_line(plan).replace(",", ",,")
    return f"{kernel} {arguments},{initrd}"


def _add_boot(domain: ET.Element, plan: LabPlan, places: LabPlaces, *, restored: bool) -> None:
    os_element = ET.SubElement(domain, "os")
    add_text(os_element, "type", "hvm", arch="x86_64", machine="q35")
    add_text(os_element, "kernel", places.inside(places.boot / "xen"))
    if not restored:
        add_text(os_element, "initrd", render_dom0_module(plan, places))
    add_text(os_element, "cmdline", render_xen_command_line(plan))


def _add_devices(domain: ET.Element, plan: LabPlan, places: LabPlaces) -> None:
    devices = ET.SubElement(domain, "devices")
    begin_devices(devices)
    serial = ET.SubElement(devices, "serial", type="unix")
    ET.SubElement(serial, "source", mode="bind", path=str(places.serial_socket))
    ET.SubElement(serial, "log", file=places.inside(places.console_log("dom0")), append="on")
    ET.SubElement(serial, "target", port="0")
    for domu in plan.domus:
        channel = ET.SubElement(devices, "channel", type="file")
        log = places.inside(places.console_log(domu.name))
        ET.SubElement(channel, "source", path=log, append="on")
        ET.SubElement(channel, "target", type="virtio", name=CONSOLE_PORT_PREFIX + domu.name)
    for index, node in enumerate(plan.domain_names):
        add_standby_port(devices, node, places.standby_socket(index))
    if plan.machine.iommu is Iommu.INTEL:
        remaps = "on" if plan.machine.interrupt_remapping else "off"
        iommu = ET.SubElement(devices, "iommu", model="intel")
        # x2APIC (eim) is not there under emulation before QEMU 9.0.
        ET.SubElement(iommu, "driver", intremap=remaps, eim="off")
    rng = end_devices(devices)
    if needs_translation(plan):
        ports = ET.SubElement(devices, "controller", type="virtio-serial", index="0")
        for device in (ports, rng):
            ET.SubElement(device, "driver", iommu="on")


def _add_qemu_arguments(domain: ET.Element, plan: LabPlan, places: LabPlaces) -> None:
    """What libvirt 9.0 has no element for: the management network, and a part of IOMMUs.

    The kernel picks the forwarded port (0) at bind time, so no port can be taken in between.
    """
    netdev = MANAGEMENT_NETDEV.format(port=0)
    arguments = ["-netdev", netdev, "-device", render_management_nic(plan)]
    arguments += render_iommu_arguments(plan.machine)
    arguments += render_uplink_arguments(plan, places.wire)
    add_qemu_arguments(domain, arguments)
