"""KvmDevice: what can be told of /dev/kvm without booting anything, each fault by its name."""

from __future__ import annotations

import errno
import fcntl
import grp
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from xenlab.hypervisor.daemon_user import DaemonUser

MODULES = Path("/sys/module")
READ_WRITE = 0o6  # both bits in one of the three parts of a mode

# linux/kvm.h; _IO(KVMIO, number) with KVMIO 0xAE.
KVM_GET_API_VERSION = 0xAE00
KVM_CREATE_VM = 0xAE01
KVM_API_VERSION = 12  # Documentation/virt/kvm/api.rst: refuse to run with any other

REASONS = {
    errno.EBUSY: "another hypervisor has the processor's virtualisation",
    errno.ENODEV: "no driver is behind it",
    errno.ENOENT: "there is none: no KVM module is loaded",
    errno.ENOTTY: "what is behind it is not KVM",
    errno.ENXIO: "no driver is behind it",
    errno.EOPNOTSUPP: "the firmware has the processor's virtualisation switched off",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KvmDevice:
    """The device node of KVM on this host."""

    path: Path = Path("/dev/kvm")

    @property
    def group(self) -> int | None:
        """The group that may open it; None where joining one does not help."""
        status = self.path.stat()
        return status.st_gid if _group_opens(status) else None

    def find_obstacle(self, user: DaemonUser) -> str:
        """Why QEMU cannot use it; empty if nothing speaks against it, which proves nothing yet."""
        try:
            status = self.path.stat()
        except OSError as error:
            return f"{self.path}: {_tell(error)}"
        if not stat.S_ISCHR(status.st_mode):
            return f"{self.path} is not a character device"
        if user.switches and not _opens_for(status, user):
            name = f"the user {user.name}, as whom QEMU runs,"
            return f"{name} may not open {self.path}: {_tell_mode(status)}"
        return self._open(status)

    def _open(self, status: os.stat_result) -> str:
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
        except PermissionError:
            return f"this user may not open {self.path} (EACCES): {_tell_mode(status)}"
        except OSError as error:
            return f"{self.path}: {_tell(error)}"
        try:
            return self._ask(descriptor)
        finally:
            os.close(descriptor)

    def _ask(self, descriptor: int) -> str:
        """Why it does not do what KVM does; empty if it makes a virtual machine."""
        try:
            version = fcntl.ioctl(descriptor, KVM_GET_API_VERSION, 0)
            if version != KVM_API_VERSION:
                return f"{self.path} speaks KVM's interface {version}, not {KVM_API_VERSION}"
            os.close(fcntl.ioctl(descriptor, KVM_CREATE_VM, 0))
        except OSError as error:
            return f"{self.path} makes no virtual machine: {_tell(error)}"
        return ""


def read_nested_remark(modules: Path = MODULES) -> str:
    """What to know where the host's KVM does not let its guests run guests; empty if it does."""
    for module in ("kvm_intel", "kvm_amd"):
        path = modules / module / "parameters/nested"
        if path.is_file() and path.read_text().strip() in {"N", "0"}:
            return f"{module}.nested is off, so that domUs of type pvh will not start"
    return ""


def _group_opens(status: os.stat_result) -> bool:
    return status.st_gid != 0 and status.st_mode >> 3 & READ_WRITE == READ_WRITE


def _opens_for(status: os.stat_result, user: DaemonUser) -> bool:
    """Whether a user without rights beyond the mode, but in the device's group, can open it."""
    for_all = status.st_mode & READ_WRITE == READ_WRITE
    owns = status.st_uid == user.uid and status.st_mode >> 6 & READ_WRITE == READ_WRITE
    return for_all or owns or _group_opens(status)


def _tell_mode(status: os.stat_result) -> str:
    """What to change so that the user gets in."""
    try:
        group = grp.getgrgid(status.st_gid).gr_name
    except KeyError:
        group = str(status.st_gid)
    if _group_opens(status):
        return f"join its group (adduser USER {group})"
    mode = stat.S_IMODE(status.st_mode)
    return f"its mode is {mode:04o} and its group {group}; 0660 and kvm would let a group in"


def _tell(error: OSError) -> str:
    number = error.errno or 0
    reason = REASONS.get(number, os.strerror(number))
    return f"{reason} ({errno.errorcode.get(number, number)})"
