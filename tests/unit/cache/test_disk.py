"""What a file system refuses is said with its path, and as what it is."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from xenlab.cache.disk import (
    disk_errors,
    locked,
    make_folder,
    read_size,
    remove,
    require_room,
    write_whole,
)
from xenlab.errors import LabError, Unavailable, WaitTimedOut, XenlabError
from xenlab.waiting import Deadline

EXABYTE = 10**18


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        (errno.ENOSPC, LabError, 6),
        (errno.EROFS, Unavailable, 4),
        (errno.EACCES, Unavailable, 4),
        (errno.EPERM, Unavailable, 4),
        (errno.EDQUOT, Unavailable, 4),
    ],
)
def test_refusal_names_the_path_and_a_way_out(
    tmp_path: Path, number: int, kind: type[XenlabError], code: int
) -> None:
    path = tmp_path / "images" / "root.cpio"

    with pytest.raises(kind) as refused, disk_errors(tmp_path):
        raise OSError(number, os.strerror(number), str(path))

    assert refused.value.exit_code == code
    assert str(path) in str(refused.value)
    assert refused.value.try_next


def test_other_errors_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), disk_errors(tmp_path):
        (tmp_path / "nothing").read_bytes()


def test_full_device_is_a_lab_error() -> None:
    full = Path("/dev/full")  # null(4): every write ends with ENOSPC

    with pytest.raises(LabError, match="/dev/full: the disk is full"), disk_errors(full):
        full.write_bytes(b"x")


def test_room_that_no_disk_has_is_refused_before_a_byte_is_written(tmp_path: Path) -> None:
    require_room(tmp_path, 1)
    with pytest.raises(LabError, match=f"{tmp_path}: .* MB free, 1100000000000 MB needed"):
        require_room(tmp_path, EXABYTE)


def test_file_is_replaced_whole_and_leaves_no_part(tmp_path: Path) -> None:
    path = tmp_path / "entry.json"
    write_whole(path, b"old")
    write_whole(path, b"new")

    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_file_where_a_folder_should_be_is_not_taken_for_one(tmp_path: Path) -> None:
    (tmp_path / "images").write_bytes(b"")

    with pytest.raises(FileExistsError):
        make_folder(tmp_path / "images")


def test_lock_is_waited_for_until_the_deadline(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "root-dom0"

    with (
        locked(path, Deadline.after(1)),
        pytest.raises(WaitTimedOut, match="root-dom0"),
        locked(path, Deadline.after(0.05)),
    ):
        raise AssertionError("two holders of one lock")
    with locked(path, Deadline.after(1)):
        assert path.exists()


def test_size_and_removal_do_not_follow_links(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_bytes(b"12345")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link").symlink_to(outside)
    (inside / "file").write_bytes(b"123")

    assert read_size(inside) == 3
    remove(inside)
    remove(tmp_path / "nothing")

    assert (outside / "file").exists()
