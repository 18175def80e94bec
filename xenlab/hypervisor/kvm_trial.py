"""The trial of an accelerator: Xen booted under it for a few seconds, in a sandbox of its own."""

from __future__ import annotations

import re
import shutil
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import libvirt

from xenlab.errors import LabError, Unavailable
from xenlab.hypervisor.connection import connect, libvirt_errors
from xenlab.hypervisor.daemon import LibvirtDaemon
from xenlab.hypervisor.daemon_user import DaemonUser
from xenlab.hypervisor.kvm_device import KvmDevice
from xenlab.hypervisor.machine_xml import EMULATOR
from xenlab.registry.errand import open_errand
from xenlab.registry.places import LabPlaces
from xenlab.waiting import Deadline, ended_at, wait_until

MEMORY_MIB = 256
STOP_LIMIT_S = 5.0
# What Xen says when its processors, timers and interrupts work (xen/arch/x86/smpboot.c). Its banner
# comes earlier, and would prove no more than that some instructions were executed.
SIGN_OF_LIFE = b"(XEN) Brought up "
QEMU_PREFIX = re.compile(r"\S+Z qemu-system-\S+: (?:error: )?")
XEN_WORDS = "console=com1 com1=115200,8n1 loglvl=all noreboot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is tried: KVM behind a device, or emulation where that is None."""

    xen: Path
    kvm: KvmDevice | None

    def find_failure(self, deadline: Deadline) -> str:
        """Why Xen does not come up; empty if it does. Nothing is left running either way."""
        started_s = time.monotonic()
        try:
            with open_errand("trial") as (errand_id, places):
                self._boot(errand_id, places, deadline)
        except (LabError, Unavailable) as error:
            if deadline.expired:
                return f"Xen did not come up in {time.monotonic() - started_s:.0f} s"
            return QEMU_PREFIX.sub("", str(error).splitlines()[0])
        return ""

    def _boot(self, errand_id: str, places: LabPlaces, deadline: Deadline) -> None:
        places.logs.mkdir(mode=0o711)
        DaemonUser.choose().own(places.logs)
        shutil.copyfile(self.xen, places.state / "xen")
        (places.state / "xen").chmod(0o644)
        daemon = LibvirtDaemon(places=places, lab_id=errand_id)
        sandbox = daemon.start(kvm=self.kvm, dies_with_us=True)
        try:
            # Where KVM lies, libvirt's own questions to QEMU hang, and no call takes a limit.
            with ended_at(deadline, sandbox.init.kill):
                self._watch(daemon, deadline)
        finally:
            sandbox.stop(Deadline.after(STOP_LIMIT_S))

    def _watch(self, daemon: LibvirtDaemon, deadline: Deadline) -> None:
        console = daemon.places.console_log("xen")
        connection = connect(daemon.uri, deadline)
        try:
            with libvirt_errors("QEMU did not start"):
                libvirt_domain = connection.handle.createXML(
                    self.render_xml(daemon.places), libvirt.VIR_DOMAIN_START_VALIDATE
                )

            def is_up() -> bool:
                with libvirt_errors("QEMU ended before Xen was up"):
                    libvirt_domain.state()
                return console.is_file() and SIGN_OF_LIFE in console.read_bytes()

            wait_until(is_up, "Xen to come up", deadline)
        finally:
            connection.close()

    def render_xml(self, places: LabPlaces) -> str:
        """The smallest machine that Xen boots on; in place of dom0's kernel it finds itself."""
        domain = ET.Element("domain", type="kvm" if self.kvm else "qemu")
        ET.SubElement(domain, "name").text = "xenlab-trial"
        ET.SubElement(domain, "memory", unit="MiB").text = str(MEMORY_MIB)
        ET.SubElement(domain, "vcpu").text = "2"
        boot = ET.SubElement(domain, "os")
        ET.SubElement(boot, "type", arch="x86_64", machine="q35").text = "hvm"
        xen = places.inside(places.state / "xen")
        ET.SubElement(boot, "kernel").text = xen
        ET.SubElement(boot, "initrd").text = xen
        ET.SubElement(boot, "cmdline").text = XEN_WORDS
        features = ET.SubElement(domain, "features")
        for name in ("acpi", "apic"):
            ET.SubElement(features, name)
        if self.kvm:
            ET.SubElement(domain, "cpu", mode="host-passthrough")
        devices = ET.SubElement(domain, "devices")
        ET.SubElement(devices, "emulator").text = EMULATOR
        ET.SubElement(devices, "controller", type="usb", model="none")
        serial = ET.SubElement(devices, "serial", type="file")
        ET.SubElement(serial, "source", path=places.inside(places.console_log("xen")))
        ET.SubElement(devices, "memballoon", model="none")
        return ET.tostring(domain, encoding="unicode")
