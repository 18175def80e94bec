"""Places: the directories of xenlab and of one lab, after the XDG base directory specification."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from xenlab.errors import InputError

LAB_NAME = re.compile(r"[a-z][a-z0-9-]{0,23}")
SOCKET_PATH_LIMIT_BYTES = 107  # unix(7): sun_path is 108 bytes with its NUL
LONGEST_SOCKET_NAME_BYTES = 40
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._+-]+")  # QEMU splits multiboot modules at blanks and commas


def cache_dir() -> Path:
    """Where images, kernels and checkpoints are kept: may be deleted at any time."""
    return Path(platformdirs.user_cache_dir("xenlab"))


def state_dir() -> Path:
    """Where labs, their logs and the results of runs are kept."""
    return Path(platformdirs.user_state_dir("xenlab"))


def runtime_root() -> Path:
    """A short path without blanks or commas for sockets; XDG_RUNTIME_DIR where that is one."""
    configured = os.environ.get("XDG_RUNTIME_DIR", "")
    usable = (
        configured
        and PLAIN_PATH.fullmatch(configured)
        and len(configured) + LONGEST_SOCKET_NAME_BYTES < SOCKET_PATH_LIMIT_BYTES
        and os.access(configured, os.W_OK)
        and os.geteuid() != 0  # root's daemon runs as another user, who must get in
    )
    root = Path(configured) / "xenlab" if usable else Path(f"/tmp/xenlab-{os.geteuid()}")  # noqa: S108
    return root / state_digest()


def state_digest(state: Path | None = None) -> str:
    """A short name for a state directory (ours), so that two of them share no run directory."""
    return hashlib.sha256(str(state or state_dir()).encode()).hexdigest()[:6]


def require_lab_name(name: str) -> str:
    """The name, or InputError: it becomes a directory and a libvirt domain."""
    if not LAB_NAME.fullmatch(name):
        raise InputError(
            f"lab name {name!r}: a small letter, then up to 23 small letters, digits or '-'"
        )
    return name


@dataclass(frozen=True, slots=True, kw_only=True)
class LabPlaces:
    """The directories of one lab on the host, and the same as QEMU sees them.

    `state` outlives the lab's processes (record, logs); `run` holds sockets and the mount points
    `run/lab` and `run/cache`, through which the sandboxed daemon sees `state` and `cache`.
    """

    name: str
    state: Path
    run: Path
    cache: Path

    @classmethod
    def of(cls, name: str, *, lab_id: str) -> LabPlaces:
        """The places of the lab of this name; nothing is created."""
        return cls(
            name=require_lab_name(name),
            state=state_dir() / "labs" / name,
            run=runtime_root() / lab_id[:8],
            cache=cache_dir(),
        )

    @property
    def logs(self) -> Path:
        """Console logs of Xen, dom0 and each domU, and those of the daemon."""
        return self.state / "logs"

    @property
    def boot(self) -> Path:
        """What QEMU loads: Xen, kernel, initrd."""
        return self.state / "boot"

    @property
    def keys(self) -> Path:
        """The key pair of this lab and the host key of its nodes."""
        return self.state / "keys"

    def qemu_cache(self, *, kvm: bool) -> Path:
        """Where libvirtd keeps what it found out of QEMU; it differs where KVM is in sight."""
        return self.cache / ("libvirt-kvm" if kvm else "libvirt-tcg")

    def inside(self, path: Path) -> str:
        """The path of a file under `state`, `cache` or `run` as the sandboxed daemon sees it."""
        for outer, inner in ((self.state, "lab"), (self.cache, "cache")):
            if path.is_relative_to(outer):
                return str(self.run / inner / path.relative_to(outer))
        if path.is_relative_to(self.run):
            return str(path)
        raise ValueError(f"{path} is not visible in the sandbox of lab {self.name}")

    def standby_socket(self, node_index: int) -> Path:
        """The host's end of a node's `standby` port, of a short name (unix(7))."""
        return self.run / "sockets" / f"standby{node_index}"

    @property
    def serial_socket(self) -> Path:
        """The machine's serial port, on which Xen and dom0 have their consoles."""
        return self.run / "sockets" / "console"

    @property
    def wire(self) -> Path:
        """The socket that is the wire between the machine's NIC and the outside peer."""
        return self.run / "sockets" / "wire"

    def console_log(self, node: str) -> Path:
        """The whole console of a node from power-on; `dom0` is Xen's serial line, shared."""
        return self.logs / f"{node}.console.log"
