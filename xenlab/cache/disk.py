"""The disk policies: room is asked for first, files appear whole, a full disk is named."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from xenlab.errors import LabError, Unavailable, XenlabError
from xenlab.registry.places import runtime_root, state_dir
from xenlab.waiting import Deadline, wait_until

MARGIN = 1.1

HINTS = {
    errno.EACCES: "make it writable",
    errno.EPERM: "make it writable",
    errno.EROFS: "make it writable",
    errno.EDQUOT: "free some of your disk quota",
    errno.ENOSPC: "free some inodes",
}


def require_room(folder: Path, needed_bytes: int) -> None:
    """Raise LabError, naming the folder, unless `needed_bytes` and 10 % more are free there."""
    with disk_errors(folder):
        room = os.statvfs(folder)
    free_mb = room.f_bavail * room.f_frsize / 1e6
    needed_mb = needed_bytes * MARGIN / 1e6
    if free_mb < needed_mb:
        raise LabError(
            f"{folder}: {free_mb:.0f} MB free, {needed_mb:.0f} MB needed",
            phase="build",
            try_next="xenlab images prune",
        )


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn what a file system refuses below `path` into the error that says so, path named.

    A full disk is a LabError; a read-only, forbidden or exhausted one (quota, inodes) is
    Unavailable with a hint. Any other OSError passes.
    """
    try:
        yield
    except OSError as error:
        raise _named(error, path) from error


def _named(error: OSError, path: Path) -> XenlabError | OSError:
    # Of a copy the target comes second: shutil.copyfile puts the source first, whoever is to blame.
    named = error.filename2 or error.filename
    where = Path(os.fsdecode(named)) if isinstance(named, str | bytes) else path
    if error.errno == errno.ENOSPC and not _out_of_inodes(where):
        return LabError(f"{where}: the disk is full", try_next="xenlab gc")
    if error.errno in HINTS:
        hint = HINTS[error.errno] + _tell_other_folder(where)
        return Unavailable(f"{where}: {error.strerror}", try_next=hint)
    return error


def _tell_other_folder(path: Path) -> str:
    """How to have another folder in its place, where that is possible."""
    if path.is_relative_to(runtime_root()):
        return ""
    kind = "STATE" if path.is_relative_to(state_dir()) else "CACHE"
    return f", or name another folder with XDG_{kind}_HOME"


def _out_of_inodes(path: Path) -> bool:
    """Whether the file system that holds `path` has blocks left but no inode; both are ENOSPC."""
    existing = next(place for place in (path, *path.parents) if place.exists())
    room = os.statvfs(existing)
    return room.f_files > 0 and room.f_favail == 0 and room.f_bavail > 0


def make_folder(folder: Path) -> Path:
    """The folder itself, made with its parents if need be."""
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all, even if the machine loses power."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with disk_errors(path):
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        sync_folder(path.parent)


def sync_tree(folder: Path) -> None:
    """Bring all files and folders below a folder, and the folder itself, to the disk."""
    for path in folder.rglob("*"):
        if path.is_dir():
            sync_folder(path)
        else:
            with path.open("rb") as file:
                os.fsync(file.fileno())
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: Path) -> None:
    """Remove a file, link or folder with all in it, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def read_size(path: Path) -> int:
    """The bytes of a file, or of all files below a folder; 0 if there is none."""
    files = path.rglob("*") if path.is_dir() else (path,)
    return sum(file.lstat().st_size for file in files if file.is_file())


def mark_used(path: Path) -> None:
    """Date a file or folder now, where this is allowed: what was not used for long is pruned."""
    if os.access(path, os.W_OK):
        os.utime(path)


@contextmanager
def locked(path: Path, deadline: Deadline) -> Iterator[None]:
    """Hold the lock file exclusively; the kernel lets go of it when its holder dies.

    The file stays: removing a lock file that another process has open would make two holders.
    """
    make_folder(path.parent)
    with disk_errors(path):
        file = path.open("ab")
    with file:
        wait_until(lambda: _try_lock(file), f"the holder of {path} to finish", deadline)
        yield


def _try_lock(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
