"""The KVM device: what can be told of it without booting anything, each fault by its name."""

from __future__ import annotations

import errno
import fcntl
import grp
import os
import stat
from pathlib import Path

from xenlab.hypervisor.sandbox import DaemonUser

KVM_DEVICE = Path("/dev/kvm")
MODULES = Path("/sys/module")
READ_WRITE = 0o6  # the two bits of one of the three triples of a mode

# linux/kvm.h; _IO(KVMIO, number) with KVMIO 0xAE.
KVM_GET_API_VERSION = 0xAE00
KVM_CREATE_VM = 0xAE01
KVM_API_VERSION = 12  # Documentation/virt/kvm/api.rst: "refuse to run if it is any other value"

REASONS = {
    errno.EBUSY: "another hypervisor has the processor's virtualisation (EBUSY)",
    errno.ENOTTY: "what is behind it is not KVM (ENOTTY)",
    errno.ENODEV: "no driver is behind it (ENODEV)",
    errno.ENXIO: "no driver is behind it (ENXIO)",
    errno.EOPNOTSUPP: "the processor's virtualisation is off in the firmware (EOPNOTSUPP)",
}


def find_obstacle(device: Path, user: DaemonUser) -> str:
    """Why QEMU cannot use the device; empty if nothing speaks against it, which proves nothing."""
    try:
        status = device.stat()
    except OSError as error:
        return f"{device}: {_name(error)}"
    if not stat.S_ISCHR(status.st_mode):
        return f"{device} is not a character device"
    if not os.access(device, os.R_OK | os.W_OK):
        return f"this user may not open {device}: {_tell_owner(status)}"
    if user.switches and not _lets_in(status, user):
        return f"user nobody, who runs QEMU, may not open {device}: {_tell_owner(status)}"
    return _find_silence(device)


def read_nested() -> str:
    """A remark where the host's KVM does not let its guests run guests; empty if it does."""
    for module in ("kvm_intel", "kvm_amd"):
        path = MODULES / module / "parameters/nested"
        if path.is_file() and path.read_text().strip() in {"N", "0"}:
            return f"{module}.nested is off: domUs of type pvh will not start"
    return ""


def group_of(device: Path) -> int | None:
    """The group to join so as to open the device; None where that does not help."""
    status = device.stat()
    opens = status.st_mode >> 3 & READ_WRITE == READ_WRITE
    return status.st_gid if opens and status.st_gid != 0 else None


def _lets_in(status: os.stat_result, user: DaemonUser) -> bool:
    """Whether a user who may join the device's group, but has no rights beyond, can open it."""
    triples = [status.st_mode]
    if status.st_gid != 0:
        triples.append(status.st_mode >> 3)
    if status.st_uid == user.uid:
        triples.append(status.st_mode >> 6)
    return any(triple & READ_WRITE == READ_WRITE for triple in triples)


def _tell_owner(status: os.stat_result) -> str:
    """Whose it is, and the command that lets the user in."""
    try:
        group = grp.getgrgid(status.st_gid).gr_name
    except KeyError:
        group = str(status.st_gid)
    mode = stat.S_IMODE(status.st_mode)
    if mode >> 3 & READ_WRITE == READ_WRITE and status.st_gid != 0:
        return f"its group is {group} (adduser USER {group})"
    return f"its mode is {mode:04o}, its group {group} (chgrp kvm and chmod 0660 let the group in)"


def _find_silence(device: Path) -> str:
    """Why the device does not answer as KVM does; empty if it does."""
    try:
        descriptor = os.open(device, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        return f"{device} cannot be opened: {_name(error)}"
    try:
        version = fcntl.ioctl(descriptor, KVM_GET_API_VERSION, 0)
        if version != KVM_API_VERSION:
            return f"{device} speaks version {version} of the interface, not {KVM_API_VERSION}"
        os.close(fcntl.ioctl(descriptor, KVM_CREATE_VM, 0))
    except OSError as error:
        return f"{device} makes no virtual machine: {_name(error)}"
    finally:
        os.close(descriptor)
    return ""


def _name(error: OSError) -> str:
    number = error.errno or 0
    code = errno.errorcode.get(number, str(number))
    return REASONS.get(number, f"{os.strerror(number)} ({code})")
