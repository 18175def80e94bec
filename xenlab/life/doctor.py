"""The doctor: whether this host can run labs, each part tried and not only looked at."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

from xenlab.debian.sources import read_host_sources
from xenlab.errors import LabError, Unavailable
from xenlab.hypervisor.acceleration import MEMORY, describe_host, recall_failure
from xenlab.hypervisor.daemon_user import DaemonUser
from xenlab.hypervisor.kvm_device import KvmDevice
from xenlab.hypervisor.sandbox import QEMU_LOGS, render_sandbox_argv
from xenlab.kernel.compiler import PROGRAMS as COMPILES
from xenlab.kernel.whole_build import PROGRAMS as CONFIGURES
from xenlab.lab import attach_lab
from xenlab.plan.planner import plan_lab
from xenlab.registry.places import LabPlaces, cache_dir, runtime_root, state_dir
from xenlab.registry.record import list_lab_names, read_record
from xenlab.registry.sweep import find_dead_labs
from xenlab.report.findings import Finding, Health
from xenlab.topology.defaults import TOPOLOGY
from xenlab.topology.loading import load_topology
from xenlab.transport.process import run, which
from xenlab.waiting import Deadline

CHECK_LIMIT_S = 20.0
UP = (
    "apt-cache", "apt-config", "apt-get", "bwrap", "depmod", "dpkg-deb", "gcc", "libvirtd",
    "qemu-system-x86_64", "setpriv", "ssh", "xz", "zstd",
)  # fmt: skip
BUILDS = ("addr2line", "cpio", "git", *COMPILES, *CONFIGURES)
PROGRAMS = tuple(dict.fromkeys((*UP, *BUILDS)))
QEMU_DRIVER = "libvirt/connection-driver/libvirt_driver_qemu.so"
LIBRARY_FOLDERS = (Path("/usr/lib/x86_64-linux-gnu"), Path("/usr/lib64"), Path("/usr/lib"))

# Packages, images and two checkpoints of one topology; a build of everything needs the larger one.
ROOM_LEAST_BYTES = 1_000_000_000
ROOM_AMPLE_BYTES = 4_000_000_000
INODES_LEAST = 10_000


def examine_host() -> Iterator[Finding]:
    """Every finding, as it is made."""
    yield from _examine_programs()
    for examine in (
        _examine_libvirt, _examine_sandbox, _examine_kvm, _examine_memory, _examine_packages,
        _examine_labs, _examine_hosts,
    ):  # fmt: skip
        yield examine()
    yield from (_examine_room(folder()) for folder in (cache_dir, state_dir, runtime_root))


def _examine_programs() -> Iterator[Finding]:
    missing: dict[str, str] = {}
    for program in PROGRAMS:
        try:
            which(program)
        except Unavailable as error:
            missing[program] = error.try_next
    finding = Finding(name="programs", health=Health.OK, what=f"all {len(PROGRAMS)} are there")
    if missing:
        packages = sorted({line.rsplit(" ", 1)[-1] for line in missing.values()})
        finding = Finding(
            name="programs",
            health=Health.FAIL,
            what=f"missing: {', '.join(missing)}",
            mend=f"apt-get install {' '.join(packages)}",
        )
    yield finding


def _examine_libvirt() -> Finding:
    name = "libvirt"
    with suppress(ImportError):
        version = import_module("libvirt").getVersion()
        if any((folder / QEMU_DRIVER).exists() for folder in LIBRARY_FOLDERS):
            text = f"{version // 1000000}.{version // 1000 % 1000}.{version % 1000}"
            return Finding(name=name, health=Health.OK, what=f"{text} with its QEMU driver")
        return Finding(
            name=name, health=Health.FAIL, what="its QEMU driver is not installed",
            mend="apt-get install libvirt-daemon-driver-qemu",
        )  # fmt: skip
    return Finding(
        name=name, health=Health.FAIL, what="Python cannot load its library", mend="make venv"
    )


def _examine_sandbox() -> Finding:
    """Make a sandbox as a lab has it, and run nothing in it."""
    name = "sandbox"
    user = DaemonUser.choose()
    with tempfile.TemporaryDirectory(prefix="xenlab-doctor-") as folder:
        root = Path(folder)
        places = LabPlaces(name="doctor", state=root / "state", run=root / "run", cache=root / "c")
        for path in (places.logs, places.run / "lab", places.run / "cache", places.cache):
            path.mkdir(parents=True)
        (places.qemu_cache(kvm=False) / QEMU_LOGS).mkdir(parents=True)
        argv = render_sandbox_argv(places, user, ["true"], kvm=None, dies_with_us=True)
        try:
            tried = run(argv, deadline=Deadline.after(CHECK_LIMIT_S))
        except (Unavailable, LabError) as error:
            return Finding(name=name, health=Health.FAIL, what=error.what, mend=error.try_next)
    if tried.status == 0:
        whose = "nobody" if user.switches else "this user"
        return Finding(name=name, health=Health.OK, what=f"bubblewrap works; QEMU runs as {whose}")
    said = tried.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["it says nothing"]
    return Finding(name=name, health=Health.FAIL, what=said[0], mend=_mend_namespaces())


def _mend_namespaces() -> str:
    """The setting that forbids user namespaces here, as far as a host has told of one."""
    for setting, wanted in (
        ("kernel.unprivileged_userns_clone", "1"),
        ("kernel.apparmor_restrict_unprivileged_userns", "0"),
    ):
        path = Path("/proc/sys") / setting.replace(".", "/")
        if path.exists() and path.read_text().strip() != wanted:
            return f"sysctl {setting}={wanted}"
    return "sysctl user.max_user_namespaces=10000"


def _examine_kvm() -> Finding:
    """What is known without a new trial; labs come up without KVM as well, only slower."""
    kvm = KvmDevice()
    obstacle = kvm.find_obstacle(DaemonUser.choose())
    if obstacle:
        health = Health.WARN if kvm.path.exists() else Health.OK
        mend = "adduser $USER kvm" if kvm.path.exists() and kvm.group is not None else ""
        return Finding(
            name="KVM", health=health, what=f"not used, labs are emulated: {obstacle}", mend=mend
        )
    failure = recall_failure(cache_dir() / MEMORY, describe_host(kvm))
    if failure is None:
        what = f"{kvm.path} is there; the first `up` will try to boot Xen under it"
        return Finding(name="KVM", health=Health.OK, what=what)
    if failure:
        what = f"not used, labs are emulated: {failure}"
        return Finding(name="KVM", health=Health.WARN, what=what)
    return Finding(name="KVM", health=Health.OK, what="it has booted Xen here")


def _examine_memory() -> Finding:
    needed_mib = plan_lab(load_topology(TOPOLOGY)).machine.memory_mib * 11 // 10
    fields = dict(
        line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines() if ":" in line
    )
    free_mib = int(fields["MemAvailable"].split()[0]) // 1024
    what = f"{free_mib} MiB available, {needed_mib} MiB needed for `{TOPOLOGY}`"
    enough = free_mib >= needed_mib
    return Finding(
        name="memory", health=Health.OK if enough else Health.FAIL, what=what,
        mend="" if enough else "end other programs, or use a smaller topology",
    )  # fmt: skip


def _examine_packages() -> Finding:
    try:
        sources = read_host_sources(Deadline.after(CHECK_LIMIT_S))
    except (Unavailable, LabError) as error:
        return Finding(name="packages", health=Health.FAIL, what=error.what, mend=error.try_next)
    suites = sorted({source.suite for source in sources})
    return Finding(name="packages", health=Health.OK, what=f"apt knows {', '.join(suites)}")


def _examine_labs() -> Finding:
    dead = find_dead_labs()
    if dead:
        return Finding(
            name="labs", health=Health.WARN, what=f"without an owner: {', '.join(dead)}",
            mend="xenlab gc",
        )  # fmt: skip
    return Finding(name="labs", health=Health.OK, what=", ".join(list_lab_names()) or "none yet")


def _examine_hosts() -> Finding:
    """Whether the hosts answer that labs of ours use, or have left something on."""
    states: dict[str, str] = {}
    lost: list[str] = []
    for name in list_lab_names():
        with suppress(LabError):
            record = read_record(name)
            if record is not None and record.host:
                with closing(attach_lab(record)) as lab:
                    states[f"{record.host} ({name})"] = state = lab.machine.state()
                lost += [name] if state != "running" else []
    what = ", ".join(f"{host} is {state}" for host, state in states.items())
    if lost:
        return Finding(
            name="hosts", health=Health.WARN, what=what, mend=f"xenlab down {lost[0]}"
        )  # fmt: skip
    return Finding(name="hosts", health=Health.OK, what=what or "no lab uses one")


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What a file system has left."""

    free_bytes: int
    free_inodes: int | None

    @classmethod
    def of(cls, folder: Path) -> Room:
        """The room where a folder is, or would be."""
        place = next(path for path in (folder, *folder.parents) if path.exists())
        room = os.statvfs(place)
        inodes = room.f_favail if room.f_files else None
        return cls(free_bytes=room.f_bavail * room.f_frsize, free_inodes=inodes)


def _examine_room(folder: Path) -> Finding:
    place = next(path for path in (folder, *folder.parents) if path.exists())
    room = Room.of(folder)
    what = f"{folder}: {room.free_bytes / 1e9:.1f} GB free"
    finding = Finding(name="disk", health=Health.OK, what=what)
    if not os.access(place, os.W_OK):
        mend = "make it writable, or name other folders with XDG_CACHE_HOME and XDG_STATE_HOME"
        return replace(finding, health=Health.FAIL, what=f"{place} is not writable", mend=mend)
    few_inodes = room.free_inodes is not None and room.free_inodes < INODES_LEAST
    if room.free_bytes < ROOM_LEAST_BYTES or few_inodes:
        return replace(finding, health=Health.FAIL, mend="xenlab gc --limit 0")
    if room.free_bytes < ROOM_AMPLE_BYTES:
        return replace(finding, health=Health.WARN, mend="xenlab gc --limit 0")
    return finding
