"""F30: KVM is believed when it has booted Xen; anything else falls back, and says why."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from xenlab.debian.supply import PackageSupply
from xenlab.errors import Unavailable
from xenlab.hypervisor.acceleration import (
    MEMORY,
    TRIAL_LIMIT_S,
    Acceleration,
    choose_acceleration,
)
from xenlab.hypervisor.kvm_device import KvmDevice
from xenlab.hypervisor.kvm_trial import STOP_LIMIT_S, Trial
from xenlab.images.xen_image import choose_xen, unpack_xen
from xenlab.plan.model import Accel
from xenlab.registry.places import cache_dir, runtime_root, state_dir
from xenlab.registry.sweep import find_marked_processes
from xenlab.waiting import Deadline

FETCH_LIMIT_S = 300.0
EMULATION_LIMIT_S = 60.0
NO_XEN = Path("/nonexistent/xen")  # for what must be decided without a boot


@pytest.fixture(scope="module")
def xen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Debian's Xen; its package comes from this user's own cache."""
    deadline = Deadline.after(FETCH_LIMIT_S)
    supply = PackageSupply(
        cache=cache_dir(), report=print, offline=False, refresh=False, deadline=deadline
    )
    choice = choose_xen(supply, "bookworm", None)
    (deb,) = supply.fetch("bookworm", [choice.package])
    path = tmp_path_factory.mktemp("xen") / "xen"
    path.write_bytes(unpack_xen(deb, deadline))
    return path


@pytest.fixture
def cache(homes: None, tmp_path: Path) -> Path:
    return tmp_path / "cache"


def nothing_is_left() -> bool:
    runs = list(runtime_root().iterdir()) if runtime_root().is_dir() else []
    errands = list((state_dir() / "errands").iterdir())
    return (find_marked_processes(), runs, errands) == ({}, [], [])


@pytest.mark.usefixtures("cache")
def test_trial_sees_xen_come_up_where_the_accelerator_works(xen: Path) -> None:
    """The control run: the same trial, under emulation."""
    assert Trial(xen=xen, kvm=None).find_failure(Deadline.after(EMULATION_LIMIT_S)) == ""
    assert nothing_is_left()


@pytest.mark.usefixtures("cache")
def test_trial_of_what_is_not_xen_fails_in_time(tmp_path: Path) -> None:
    (tmp_path / "xen").write_bytes(b"\x7fELF" + bytes(4096))
    started_s = time.monotonic()
    failure = Trial(xen=tmp_path / "xen", kvm=None).find_failure(Deadline.after(10))
    assert failure.startswith(("QEMU did not start", "QEMU ended before Xen was up"))
    assert time.monotonic() - started_s < 10
    assert nothing_is_left()


def make_readable_device(folder: Path) -> KvmDevice:
    """This host's KVM, open to the user of the sandbox where we have the right to make it so."""
    original = KvmDevice()
    if os.geteuid() != 0 or not original.path.exists():
        return original
    path = folder / "kvm"
    os.mknod(path, stat.S_IFCHR | 0o666, original.path.stat().st_rdev)
    path.chmod(0o666)
    return KvmDevice(path=path)


def test_this_hosts_kvm_is_proved_or_refused_in_a_few_seconds_and_once(
    xen: Path, cache: Path, tmp_path: Path
) -> None:
    device = make_readable_device(tmp_path)

    def choose() -> tuple[Acceleration, float]:
        started_s = time.monotonic()
        choice = choose_acceleration(Accel.AUTO, xen, cache, Deadline.after(60), device)
        return choice, time.monotonic() - started_s

    first, took_s = choose()
    assert took_s < TRIAL_LIMIT_S + STOP_LIMIT_S
    assert (first.accel is Accel.KVM) is ("KVM has booted Xen here" in first.reason)
    assert (first.accel is Accel.TCG) is first.reason.startswith("no KVM: ")
    assert nothing_is_left()

    again, took_s = choose()
    assert (again, took_s < 1.0) == (first, True)


DEVICES: dict[str, Callable[[Path], None]] = {
    "missing": lambda path: path.unlink(missing_ok=True),
    "regular file": Path.touch,
    "FIFO": os.mkfifo,
    "null device": lambda path: path.symlink_to("/dev/null"),
}


@pytest.mark.parametrize("make", DEVICES.values(), ids=DEVICES)
def test_stub_is_seen_through_without_a_boot(
    make: Callable[[Path], None], cache: Path, tmp_path: Path
) -> None:
    make(tmp_path / "kvm")
    device = KvmDevice(path=tmp_path / "kvm")
    choice = choose_acceleration(Accel.AUTO, NO_XEN, cache, Deadline.after(1), device)
    assert choice.accel is Accel.TCG
    assert choice.reason.startswith(f"no KVM: {tmp_path}/kvm")
    with pytest.raises(Unavailable, match=r"KVM does not work on this host: .*/kvm") as refused:
        choose_acceleration(Accel.KVM, NO_XEN, cache, Deadline.after(1), device)
    assert refused.value.exit_code == 4
    assert not (cache / MEMORY).exists(), "only a boot is worth remembering"


def test_emulation_that_was_asked_for_needs_no_trial(cache: Path) -> None:
    choice = choose_acceleration(Accel.TCG, NO_XEN, cache, Deadline.after(1))
    assert choice == Acceleration(accel=Accel.TCG, reason="asked for")


def test_trial_that_was_cut_short_by_its_caller_is_not_remembered(
    xen: Path, cache: Path, tmp_path: Path
) -> None:
    device = make_readable_device(tmp_path)
    choose_acceleration(Accel.AUTO, xen, cache, Deadline.after(-1), device)
    assert not (cache / MEMORY).exists()
