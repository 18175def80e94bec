"""Acceleration: whether KVM really works on this host, proved by booting Xen under it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from xenlab.cache.disk import make_folder, write_whole
from xenlab.errors import Unavailable
from xenlab.hypervisor.daemon_user import DaemonUser
from xenlab.hypervisor.kvm_device import KvmDevice, read_nested_remark
from xenlab.hypervisor.kvm_trial import Trial
from xenlab.hypervisor.machine_xml import EMULATOR
from xenlab.plan.model import Accel
from xenlab.waiting import Deadline

SCHEMA_VERSION = 1
MEMORY = "acceleration.json"  # in the cache; remove it to have KVM tried again
TRIAL_LIMIT_S = 6.0  # where KVM works, libvirtd, QEMU and Xen take one or two seconds together


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceleration:
    """What was chosen, `kvm` or `tcg`, and why: shown in every header."""

    accel: Accel
    reason: str


def choose_acceleration(
    wanted: Accel, xen: Path, cache: Path, deadline: Deadline, kvm: KvmDevice | None = None
) -> Acceleration:
    """KVM where it is proved to boot `xen`, else emulation, with the reason.

    Raises Unavailable with that reason where KVM was demanded. `kvm` is the host's own by default.
    """
    if wanted is Accel.TCG:
        return Acceleration(accel=Accel.TCG, reason="asked for")
    kvm = kvm or KvmDevice()
    failure = kvm.find_obstacle(DaemonUser.choose())
    failure = failure or _find_failure(Trial(xen=xen, kvm=kvm), kvm, cache / MEMORY, deadline)
    if not failure:
        remark = read_nested_remark()
        reason = "KVM has booted Xen here" + (f"; {remark}" if remark else "")
        return Acceleration(accel=Accel.KVM, reason=reason)
    if wanted is Accel.KVM:
        raise Unavailable(
            f"KVM does not work on this host: {failure}", try_next="xenlab up --accel tcg"
        )
    return Acceleration(accel=Accel.TCG, reason=f"no KVM: {failure}")


def _find_failure(trial: Trial, kvm: KvmDevice, memory: Path, deadline: Deadline) -> str:
    """Why Xen does not boot under KVM, empty if it does; tried once for each state of a host."""
    host = describe_host(kvm)
    remembered = recall_failure(memory, host)
    if remembered is not None:
        return remembered
    failure = trial.find_failure(deadline.at_most(TRIAL_LIMIT_S))
    if not deadline.expired:  # else it was our caller's time that was too short, not KVM
        content = {"schema_version": SCHEMA_VERSION, "host": host, "failure": failure}
        make_folder(memory.parent)
        write_whole(memory, json.dumps(content, indent=1).encode())
    return failure


def recall_failure(memory: Path, host: Mapping[str, str | int]) -> str | None:
    """How the trial on this very host ended; None where there was none, or the file is damaged."""
    try:
        remembered = json.loads(memory.read_bytes())
        if remembered["schema_version"] == SCHEMA_VERSION and remembered["host"] == host:
            return str(remembered["failure"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    return None


def describe_host(kvm: KvmDevice) -> dict[str, str | int]:
    """What decides whether KVM works; the device's node is made anew at each boot."""
    device, emulator = kvm.path.stat(), Path(EMULATOR).resolve().stat()
    return {
        "kernel": f"{os.uname().release} {os.uname().version}",
        "uid": os.geteuid(),
        "device": str(kvm.path),
        "device_ctime_ns": device.st_ctime_ns,
        "emulator_bytes": emulator.st_size,
        "emulator_mtime_ns": emulator.st_mtime_ns,
    }
