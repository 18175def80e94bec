"""Machine: the QEMU guest that boots Xen, through libvirt: start, save, restore, state."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import libvirt
import libvirt_qemu

from xenlab.errors import ConnectionLost, GuestLost, LabError, StaleCode, WaitTimedOut
from xenlab.hypervisor.connection import Connection, libvirt_errors
from xenlab.hypervisor.stale_code import find_stale_code
from xenlab.waiting import Deadline, wait_until

T = TypeVar("T")

NOTICE_LIMIT_S = 1.0
ANSWER_LIMIT_S = 5.0
FORWARDED_PORT = re.compile(r"TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)\s+\S+\s+22\b")
# Of every CPU, in nanoseconds (libvirt, virConnectGetAllDomainStats, VIR_DOMAIN_STATS_VCPU).
VCPU_DELAY = re.compile(r"vcpu\.\d+\.delay")
VCPU_TIME = re.compile(r"vcpu\.\d+\.time")
NS_A_MS = 1_000_000
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A defined libvirt domain: it stays defined when it dies, so that the reason can be asked."""

    connection: Connection
    uuid: str

    @classmethod
    def define(cls, connection: Connection, xml: str) -> Machine:
        """Define the machine, validated against libvirt's schema; nothing is started."""
        libvirt_domain = connection.ask(
            "libvirt refused the machine's XML",
            lambda handle: handle.defineXMLFlags(xml, libvirt.VIR_DOMAIN_DEFINE_VALIDATE),
        )
        return cls(connection=connection, uuid=libvirt_domain.UUIDString())

    @classmethod
    def find(cls, connection: Connection, uuid: str) -> Machine:
        """The machine of this UUID; GuestLost if the daemon does not know it."""
        machine = cls(connection=connection, uuid=uuid)
        try:
            machine.state()
        except ConnectionLost:
            raise
        except LabError as error:
            raise GuestLost(f"libvirt has no machine {uuid}: {error}") from error
        return machine

    def _ask(self, what: str, question: Callable[[libvirt.virDomain], T]) -> T:
        """The answer of libvirt's handle for this machine, which is looked up for each question."""
        return self.connection.ask(
            what, lambda handle: question(handle.lookupByUUIDString(self.uuid))
        )

    def start(self) -> None:
        """Power on."""
        with libvirt_errors("the machine did not start"):
            self.connection.handle.lookupByUUIDString(self.uuid).create()

    @property
    def name(self) -> str:
        """The name libvirt knows the machine by."""
        return str(self._ask("the machine's name is unknown", lambda domain: domain.name()))

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
            libvirt_domain = self.connection.handle.lookupByUUIDString(self.uuid)
            libvirt_domain.snapshotCreateXML(ET.tostring(snapshot, encoding="unicode"), flags)

    @staticmethod
    def restore(connection: Connection, path: str, xml: str) -> None:
        """Start the machine of `xml` from the saved state at `path`, running.

        It is defined first: libvirt forgets a machine that is not when it dies, and the reason too.
        """
        Machine.define(connection, xml)
        with libvirt_errors(f"the machine could not be restored from {path}"):
            connection.handle.restoreFlags(path, xml, libvirt.VIR_DOMAIN_SAVE_RUNNING)

    def state(self) -> str:
        """In words: `running`, `paused`, or `shut off (crashed)` with the reason in brackets."""
        state, reason = self._ask("the machine's state is unknown", lambda domain: domain.state())
        name = STATES.get(state, f"state {state}")
        if state == libvirt.VIR_DOMAIN_SHUTOFF:
            return f"{name} ({SHUTOFF_REASONS.get(reason, f'reason {reason}')})"
        return name

    def require_running(self) -> None:
        """Nothing, or GuestLost with the state the machine is in."""
        state = self.state()
        if state != "running":
            raise GuestLost(f"the machine is {state}")

    def require_life(self) -> None:
        """As `require_running`, when a connection into the machine has just failed.

        A machine that dies takes its connections first, and libvirt hears of it a moment later.
        """
        with contextlib.suppress(WaitTimedOut):
            wait_until(lambda: self.state() != "running", "its end", Deadline.after(NOTICE_LIMIT_S))
        self.require_running()

    def require_sanity(self) -> None:
        """Nothing, or LabError where QEMU does not run, answers nothing, or runs stale code."""
        self.require_answer()
        self.require_fresh_code()

    def require_fresh_code(self) -> None:
        """Nothing, or StaleCode where an emulated CPU will never leave what is in no memory."""
        if stale := find_stale_code(self.monitor):
            raise StaleCode(f"QEMU runs what is in no memory any more, and would for ever: {stale}")

    def require_answer(self) -> None:
        """Nothing, or GuestLost or WaitTimedOut where QEMU does not run, or does not answer."""
        self.require_running()
        answers: list[str] = []
        command = '{"execute": "query-status"}'
        asking = threading.Thread(
            target=lambda: answers.append(
                self._ask(
                    "QEMU's monitor did not answer",
                    lambda domain: libvirt_qemu.qemuMonitorCommand(domain, command, 0),
                )
            ),
            name="query-status", daemon=True,
        )  # fmt: skip
        asking.start()
        asking.join(ANSWER_LIMIT_S)
        if not answers:
            raise WaitTimedOut(f"QEMU runs and answers nothing for {ANSWER_LIMIT_S:.0f} s")

    def host_delay_ms(self) -> int | None:
        """How long its CPUs, one after the other, were ready to run and the host had others to run.

        Milliseconds since power-on; None where the host does not tell (CONFIG_SCHED_INFO).
        """
        delays_ns = self._sum_of_cpus_ns(VCPU_DELAY)
        return None if delays_ns is None else delays_ns // NS_A_MS

    def busy_ns(self) -> int | None:
        """CPU time of the host that its CPUs took since power-on, in ticks; None as above."""
        return self._sum_of_cpus_ns(VCPU_TIME)

    def _sum_of_cpus_ns(self, name: re.Pattern[str]) -> int | None:
        statistics = self._ask("the machine's CPUs told nothing of themselves", _vcpu_statistics)
        told = [value for each, value in statistics.items() if name.fullmatch(each)]
        return sum(told) if told else None

    def send_nmi(self) -> None:
        """Send the guest a non-maskable interrupt."""
        self._ask("no NMI could be sent", lambda domain: domain.injectNMI(0))

    def monitor(self, command: str) -> str:
        """What QEMU's monitor answers a person (HMP)."""
        person = libvirt_qemu.VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP
        return self._ask(
            "QEMU's monitor did not answer",
            lambda domain: str(libvirt_qemu.qemuMonitorCommand(domain, command, person)),
        )

    def destroy(self) -> None:
        """Power off at once, if it is on."""
        self._ask(
            "the machine could not be powered off",
            lambda domain: domain.destroy() if domain.isActive() else None,
        )

    def undefine(self) -> None:
        """Have libvirt forget the machine."""
        self._ask("the machine could not be undefined", lambda domain: domain.undefine())

    def forwarded_ssh_port(self) -> int:
        """The loopback port that QEMU forwards to dom0's SSH; the kernel chose it at bind time."""
        answer = self.monitor("info usernet")
        found = FORWARDED_PORT.search(answer)
        if not found:
            raise LabError(f"QEMU forwards no port to dom0's SSH: {json.dumps(answer)}")
        return int(found[1])


def _vcpu_statistics(domain: libvirt.virDomain) -> dict[str, int]:
    asked = domain.connect().domainListGetStats([domain], libvirt.VIR_DOMAIN_STATS_VCPU)
    return {name: value for _domain, told in asked for name, value in told.items()}
