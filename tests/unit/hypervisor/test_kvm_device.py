"""F30, what can be told without booting: each device that is no KVM, by its name."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from xenlab.hypervisor.daemon_user import DaemonUser
from xenlab.hypervisor.kvm_device import KvmDevice, _opens_for, _tell, read_nested_remark

OURSELVES = DaemonUser(uid=os.geteuid(), gid=os.getegid(), switches=False)
NOBODY = DaemonUser(uid=65534, gid=65534, switches=True)


def status(mode: int, uid: int = 0, gid: int = 0) -> os.stat_result:
    return os.stat_result((stat.S_IFCHR | mode, 0, 0, 1, uid, gid, 0, 0, 0, 0))


def make_nothing(path: Path) -> None:
    """The device is missing."""


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (make_nothing, r"kvm: there is none: no KVM module is loaded \(ENOENT\)"),
        (Path.touch, "kvm is not a character device"),
        (os.mkfifo, "kvm is not a character device"),
        (Path.mkdir, "kvm is not a character device"),
        (lambda path: path.symlink_to("/dev/null"), r"what is behind it is not KVM \(ENOTTY\)"),
        (lambda path: path.symlink_to(path), "ELOOP"),
    ],
)
def test_what_is_no_kvm_is_told_by_its_name(
    make: Callable[[Path], None], reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "kvm"
    make(path)
    assert re.search(reason, KvmDevice(path=path).find_obstacle(OURSELVES))


def test_device_that_lets_nobody_in_names_its_mode() -> None:
    """/dev/mem is open to root alone, wherever there is one; /dev/console where there is not."""
    path = next(path for path in map(Path, ("/dev/mem", "/dev/console")) if path.exists())
    assert "nobody, as whom QEMU runs, may not open" in KvmDevice(path=path).find_obstacle(NOBODY)


@pytest.mark.parametrize(
    ("mode", "uid", "gid", "opens"),
    [
        (0o600, 0, 0, False),
        (0o660, 0, 0, False),
        (0o660, 0, 104, True),
        (0o640, 0, 104, False),
        (0o666, 0, 0, True),
        (0o664, 0, 0, False),
        (0o600, 65534, 0, True),
        (0o060, 65534, 0, False),
    ],
)
def test_mode_decides_whether_qemus_user_gets_in(
    mode: int, uid: int, gid: int, opens: bool
) -> None:
    assert _opens_for(status(mode, uid, gid), NOBODY) is opens


def test_group_to_join_is_one_that_opens_the_device_and_is_not_roots(tmp_path: Path) -> None:
    assert KvmDevice(path=Path("/dev/null")).group is None
    path = tmp_path / "kvm"
    path.touch()
    path.chmod(0o660)
    assert KvmDevice(path=path).group == (os.getegid() or None)


@pytest.mark.parametrize("number", [errno.EBUSY, errno.ENOTTY, errno.EOPNOTSUPP, errno.EIO])
def test_reason_ends_with_the_code(number: int) -> None:
    assert _tell(OSError(number, "")).endswith(f"({errno.errorcode[number]})")


def test_busy_device_says_who_has_it() -> None:
    assert "another hypervisor" in _tell(OSError(errno.EBUSY, ""))


@pytest.mark.parametrize(("text", "remarked"), [("N\n", True), ("0\n", True), ("Y\n", False)])
def test_host_that_nests_no_guests_is_remarked_on(
    text: str, remarked: bool, tmp_path: Path
) -> None:
    parameters = tmp_path / "kvm_amd" / "parameters"
    parameters.mkdir(parents=True)
    (parameters / "nested").write_text(text)
    assert ("kvm_amd.nested is off" in read_nested_remark(tmp_path)) is remarked


def test_host_without_kvm_modules_gets_no_remark(tmp_path: Path) -> None:
    assert read_nested_remark(tmp_path) == ""
