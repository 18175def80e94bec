"""The KVM trial: Xen booted under an accelerator for a few seconds, in a sandbox of its own."""

from __future__ import annotations

import contextlib
import shutil
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import libvirt

from xenlab.errors import LabError, Unavailable, WaitTimedOut
from xenlab.hypervisor.daemon import LibvirtDaemon, connect, disconnect, libvirt_errors
from xenlab.hypervisor.domain_xml import EMULATOR_PATH
from xenlab.hypervisor.sandbox import DaemonUser, Sandbox
from xenlab.plan.model import Accel
from xenlab.registry.places import LabPlaces, runtime_root
from xenlab.registry.sweep import name_errand
from xenlab.transport.process import ended_at
from xenlab.waiting import Deadline, wait_until

MEMORY_MIB = 256
STOP_LIMIT_S = 5.0
# Xen's words once its processors, timers and interrupts work (xen/arch/x86/smpboot.c); the banner
# before them would only prove that some instructions were executed.
SIGN_OF_LIFE = b"Brought up "
XEN_WORDS = "console=com1 com1=115200,8n1 loglvl=all noreboot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One try: Xen's file, the accelerator, and the device that the sandbox shows as /dev/kvm."""

    xen: Path
    cache: Path
    accel: Accel
    device: Path | None

    def run(self, deadline: Deadline) -> str:
        """Why Xen does not come up; empty if it did. Nothing is left running."""
        started_s = time.monotonic()
        try:
            with self._open_places() as places:
                self._boot(places, deadline)
        except (LabError, Unavailable) as error:
            if deadline.expired:
                return f"Xen did not come up in {time.monotonic() - started_s:.1f} s"
            return str(error)
        return ""

    @contextlib.contextmanager
    def _open_places(self) -> Iterator[LabPlaces]:
        """Directories that end with us; a sweep knows them by their name while we live."""
        name = name_errand("kvm")
        root = runtime_root() / name
        places = LabPlaces(name="kvm", state=root / "state", run=root / "run", cache=self.cache)
        for directory in (root.parent, root, places.state, places.logs):
            directory.mkdir(mode=0o711, parents=True, exist_ok=True)
        DaemonUser.choose().own(places.logs)
        try:
            yield places
        finally:
            shutil.rmtree(root, ignore_errors=True)

    def _boot(self, places: LabPlaces, deadline: Deadline) -> None:
        xen = places.state / "xen"
        shutil.copyfile(self.xen, xen)
        xen.chmod(0o644)
        daemon = LibvirtDaemon(places=places, lab_id=places.run.parent.name)
        sandbox = daemon.start(kvm_device=self.device, dies_with_us=True)
        try:
            # On a host whose KVM lies libvirt's own probing hangs: no call of it takes a limit.
            with ended_at(deadline, lambda: sandbox.init.kill()):
                self._watch(daemon, places, deadline)
        finally:
            sandbox.stop(Deadline.after(STOP_LIMIT_S))

    def _watch(self, daemon: LibvirtDaemon, places: LabPlaces, deadline: Deadline) -> None:
        connection = connect(daemon.uri, deadline)
        try:
            with libvirt_errors("QEMU did not start"):
                domain = connection.createXML(
                    render_trial_xml(places, self.accel), libvirt.VIR_DOMAIN_START_VALIDATE
                )
            log = places.console_log("xen")

            def is_up() -> bool:
                with libvirt_errors("QEMU ended before Xen came up"):
                    domain.state()
                return SIGN_OF_LIFE in log.read_bytes()

            wait_until(is_up, "Xen to come up", deadline)
        finally:
            disconnect(connection)
