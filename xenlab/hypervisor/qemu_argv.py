"""The machine as QEMU's own argv, to start it by hand: pure, from the plan and a boot bundle.

It is what libvirt makes of the domain XML, with dom0's console on standard output and each domU's
in a file beside the bundle, and without a NIC to the outside: nobody is at the other end of it.
Nothing of a lab is started from it.
"""

from __future__ import annotations

from pathlib import Path

from xenlab.hypervisor.domain_xml import CONSOLE_PORT_PREFIX
from xenlab.hypervisor.qemu_devices import (
    MANAGEMENT_NETDEV,
    needs_translation,
    render_iommu_arguments,
    render_management_nic,
)
from xenlab.plan.command_lines import render_dom0_command_line, render_xen_command_line
from xenlab.plan.model import Accel, Iommu, LabPlan, MachinePlan

EMULATOR = "qemu-system-x86_64"
ROOT_PORTS = 3  # as many as libvirt gives a q35 machine with two PCI devices


def console_file(folder: Path, domu: str) -> Path:
    """Where the console of a domU goes."""
    return folder / f"{domu}.console.log"


def render_qemu_argv(plan: LabPlan, folder: Path, accel: Accel, ssh_port: int) -> list[str]:
    """The argv; dom0's SSH is forwarded from `ssh_port` on the loopback (0: QEMU chooses)."""
    machine = plan.machine
    kvm = accel is Accel.KVM
    return [
        EMULATOR,
        *("-machine", "q35,usb=off,dump-guest-core=off"),
        *("-accel", "kvm" if kvm else "tcg"),
        *("-cpu", "host" if kvm else machine.cpu_model),
        *("-m", str(machine.memory_mib)),
        *("-smp", f"{machine.cpus},sockets={machine.cpus},cores=1,threads=1"),
        *("-display", "none", "-no-user-config", "-nodefaults", "-no-reboot", "-rtc", "base=utc"),
        *_render_boot(plan, folder),
        *_render_root_ports(),
        *("-chardev", "stdio,id=serial0", "-device", "isa-serial,chardev=serial0,index=0"),
        *_render_consoles(plan, folder),
        *_render_iommu(machine),
        *("-object", "rng-random,id=rng0,filename=/dev/urandom"),
        *("-device", f"virtio-rng-pci,rng=rng0,bus=pci.2,addr=0x0{_translated(plan)}"),
        *("-netdev", MANAGEMENT_NETDEV.format(port=ssh_port)),
        *("-device", render_management_nic(plan)),
    ]


def _render_boot(plan: LabPlan, folder: Path) -> list[str]:
    if plan.xen.boot:
        kernel, initrd = str(folder / "xen"), _render_module(plan, folder)
        return ["-kernel", kernel, "-initrd", initrd, "-append", render_xen_command_line(plan)]
    kernel, initrd = str(folder / "vmlinux"), str(folder / "initrd.cpio")
    return ["-kernel", kernel, "-initrd", initrd, "-append", render_dom0_command_line(plan)]


def _render_module(plan: LabPlan, folder: Path) -> str:
    """QEMU's multiboot modules; see render_dom0_module."""
    arguments = render_dom0_command_line(plan).replace(",", ",,")
    return f"{folder / 'vmlinux'} {arguments},{folder / 'initrd.cpio'}"


def _render_root_ports() -> list[str]:
    argv = []
    for number in range(ROOT_PORTS):
        place = "multifunction=on,addr=0x1" if number == 0 else f"addr=0x1.0x{number}"
        device = f"pcie-root-port,port={8 + number},chassis={1 + number},id=pci.{1 + number}"
        argv += ["-device", f"{device},bus=pcie.0,{place}"]
    return argv


def _render_consoles(plan: LabPlan, folder: Path) -> list[str]:
    argv = ["-device", f"virtio-serial-pci,id=ports,bus=pci.1,addr=0x0{_translated(plan)}"]
    for number, domu in enumerate(plan.domus, start=1):
        path = str(console_file(folder, domu.name)).replace(",", ",,")
        argv += ["-chardev", f"file,id=console{number},path={path}"]
        name = CONSOLE_PORT_PREFIX + domu.name
        device = f"virtserialport,bus=ports.0,nr={number},chardev=console{number},name={name}"
        argv += ["-device", device]
    return argv


def _translated(plan: LabPlan) -> str:
    return ",iommu_platform=on" if needs_translation(plan) else ""


def _render_iommu(machine: MachinePlan) -> list[str]:
    arguments = render_iommu_arguments(machine)
    if machine.iommu is Iommu.INTEL:
        remaps = "on" if machine.interrupt_remapping else "off"
        arguments += ["-device", f"intel-iommu,intremap={remaps},eim=off"]
    return arguments
