"""Machine: the QEMU guest that boots Xen, through its libvirt domain: start, save, restore, state."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass

import libvirt
import libvirt_qemu

from xenlab.errors import GuestLost, LabError
from xenlab.hypervisor.daemon import libvirt_errors

FORWARDED_PORT = re.compile(r"TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)\s+\S+\s+22\b")
STATES = {
    libvirt.VIR_DOMAIN_RUNNING: "running",
    libvirt.VIR_DOMAIN_BLOCKED: "running",
    libvirt.VIR_DOMAIN_PAUSED: "paused",
    libvirt.VIR_DOMAIN_SHUTDOWN: "shutting down",
    libvirt.VIR_DOMAIN_SHUTOFF: "shut off",
    libvirt.VIR_DOMAIN_CRASHED: "crashed",
}
SHUTOFF_REASONS = {
    libvirt.VIR_DOMAIN_SHUTOFF_CRASHED: "crashed",
    libvirt.VIR_DOMAIN_SHUTOFF_DESTROYED: "destroyed",
    libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN: "shut down",
    libvirt.VIR_DOMAIN_SHUTOFF_FAILED: "failed to start",
    libvirt.VIR_DOMAIN_SHUTOFF_SAVED: "saved",
    libvirt.VIR_DOMAIN_SHUTOFF_DAEMON: "lost by the daemon",
}


@dataclass(slots=True, kw_only=True)
class Machine:
    """A defined libvirt domain: it stays defined when it dies, so that the reason can be asked."""

    libvirt_domain: libvirt.virDomain

    @classmethod
    def define(cls, connection: libvirt.virConnect, xml: str) -> Machine:
        """Define the machine, validated against libvirt's schema; nothing is started."""
        with libvirt_errors("libvirt refused the machine's XML"):
            return cls(
                libvirt_domain=connection.defineXMLFlags(xml, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
            )

    @classmethod
    def find(cls, connection: libvirt.virConnect, uuid: str) -> Machine:
        """The machine of this UUID; GuestLost if the daemon does not know it."""
        try:
            return cls(libvirt_domain=connection.lookupByUUIDString(uuid))
        except libvirt.libvirtError as error:
            raise GuestLost(f"libvirt has no machine {uuid}: {error}") from error

    def start(self) -> None:
        """Power on."""
        with libvirt_errors("the machine did not start"):
            self.libvirt_domain.create()

    @property
    def name(self) -> str:
        """The name libvirt knows the machine by."""
        return str(self.libvirt_domain.name())

    def save_and_go_on(self, path: str) -> None:
        """Write memory and devices to `path` (as the daemon sees it); the machine then runs on.

        An external memory snapshot without disks is a file that `restore` takes
        (libvirt, formatsnapshot.html, "External Snapshots").
        """
        snapshot = ET.Element("domainsnapshot")
        ET.SubElement(snapshot, "memory", snapshot="external", file=path)
        flags = (
            libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA
            | libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC
        )
        with libvirt_errors(f"the machine could not be saved to {path}"):
            self.libvirt_domain.snapshotCreateXML(ET.tostring(snapshot, encoding="unicode"), flags)

    @staticmethod
    def restore(connection: libvirt.virConnect, path: str, xml: str) -> None:
        """Start the machine of `xml` from the saved state at `path`, running."""
        with libvirt_errors(f"the machine could not be restored from {path}"):
            connection.restoreFlags(path, xml, libvirt.VIR_DOMAIN_SAVE_RUNNING)

    def state(self) -> str:
        """In words: `running`, `paused`, or `shut off (crashed)` with the reason in brackets."""
        with libvirt_errors("the machine's state is unknown"):
            state, reason = self.libvirt_domain.state()
        name = STATES.get(state, f"state {state}")
        if state == libvirt.VIR_DOMAIN_SHUTOFF:
            return f"{name} ({SHUTOFF_REASONS.get(reason, f'reason {reason}')})"
        return name

    def require_running(self) -> None:
        """Nothing, or GuestLost with the state the machine is in."""
        state = self.state()
        if state != "running":
            raise GuestLost(f"the machine is {state}")

    def destroy(self) -> None:
        """Power off at once, if it is on."""
        with libvirt_errors("the machine could not be powered off"):
            if self.libvirt_domain.isActive():
                self.libvirt_domain.destroy()

    def undefine(self) -> None:
        """Have libvirt forget the machine."""
        with libvirt_errors("the machine could not be undefined"):
            self.libvirt_domain.undefine()

    def forwarded_ssh_port(self) -> int:
        """The loopback port that QEMU forwards to dom0's SSH; the kernel chose it at bind time."""
        with libvirt_errors("QEMU's monitor did not answer"):
            answer = libvirt_qemu.qemuMonitorCommand(
                self.libvirt_domain,
                "info usernet",
                libvirt_qemu.VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP,
            )
        found = FORWARDED_PORT.search(answer)
        if not found:
            raise LabError(f"QEMU forwards no port to dom0's SSH: {json.dumps(answer)}")
        return int(found[1])
