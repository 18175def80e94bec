"""LibvirtDaemon: a private session libvirtd for one lab."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from xenlab.hypervisor.daemon_user import DaemonUser
from xenlab.hypervisor.kvm_device import KvmDevice
from xenlab.hypervisor.sandbox import QEMU_LOGS, Sandbox
from xenlab.registry.places import LabPlaces
from xenlab.registry.run_directory import make_run_directory
from xenlab.registry.sweep import MARKER, render_marker
from xenlab.transport.process import which

# stdio_handler: QEMU writes the console logs itself; virtlogd would rotate them at 2 MiB.
QEMU_CONF = """\
stdio_handler = "file"
security_driver = "none"
namespaces = []
remember_owner = 0
"""
LIBVIRTD_CONF = """\
auth_unix_rw = "none"
auth_unix_ro = "none"
unix_sock_dir = "{sockets}"
log_outputs = "3:file:{log}"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LibvirtDaemon:
    """The files and the start of a lab's private libvirtd; the process lives in a Sandbox."""

    places: LabPlaces
    lab_id: str

    DIRECTORIES: ClassVar[tuple[str, ...]] = (
        "run", "sockets", "config/libvirt", "qemu-cache", "home", "lab", "cache",
    )  # fmt: skip

    @property
    def socket(self) -> Path:
        """Where the daemon listens; a path short enough for a UNIX socket."""
        return self.places.run / "sockets" / "libvirt-sock"

    @property
    def uri(self) -> str:
        """The libvirt URI of the private daemon."""
        return f"qemu:///session?socket={self.socket}"

    def start(self, *, kvm: KvmDevice | None, dies_with_us: bool) -> Sandbox:
        """Write the configuration and start the daemon in its sandbox."""
        run = self.places.run
        qemu_cache = self.places.qemu_cache(kvm=bool(kvm))
        self._write_configuration(qemu_cache)
        env = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(run / "home"),
            "XDG_RUNTIME_DIR": str(run / "run"),
            "XDG_CONFIG_HOME": str(run / "config"),
            "XDG_CACHE_HOME": self.places.inside(qemu_cache),
            MARKER: render_marker(self.lab_id),
        }
        argv = [which("libvirtd"), "--config", str(run / "config" / "libvirtd.conf")]
        argv += ["--pid-file", str(run / "libvirtd.pid")]
        return Sandbox.start(self.places, argv, env, kvm=kvm, dies_with_us=dies_with_us)

    def link_directories(self) -> None:
        """For a daemon that is not ours and sees the host as it is: links in place of mounts."""
        run = self.places.run
        make_run_directory(run)
        (run / "sockets").mkdir(mode=0o700)
        (run / "lab").symlink_to(self.places.state)
        (run / "cache").symlink_to(self.places.cache)

    def _write_configuration(self, qemu_cache: Path) -> None:
        run = self.places.run
        user = DaemonUser.choose()
        user.let_through(self.places.cache, self.places.state)
        make_run_directory(run)
        made = [run]
        for name in self.DIRECTORIES:
            made += _make_folders(run, name)
        made += _make_folders(self.places.cache, f"{qemu_cache.name}/{QEMU_LOGS}")
        (run / "config/libvirt/qemu.conf").write_text(QEMU_CONF)
        (run / "config/libvirtd.conf").write_text(
            LIBVIRTD_CONF.format(
                sockets=run / "sockets", log=self.places.inside(self.places.logs / "libvirtd.log")
            )
        )
        user.own(*made, run / "config/libvirt/qemu.conf", run / "config/libvirtd.conf")


def _make_folders(root: Path, name: str) -> list[Path]:
    """Make a folder below another with its parents; those that were not there."""
    made = []
    path = root
    for part in Path(name).parts:
        path = path / part
        if not path.exists():
            path.mkdir(mode=0o700, exist_ok=True)
            made.append(path)
    return made
