"""The lock of a lab: one process at a time changes it; whoever comes second is told who does."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from xenlab.errors import Unavailable
from xenlab.registry.places import require_lab_name, state_dir
from xenlab.waiting import Deadline, wait_until

SWEEPING = "sweeping"  # every `up` sweeps for a moment: worth a wait, and no reason to refuse
SWEEP_LIMIT_S = 20.0
OWNER_MAX_BYTES = 200


@contextmanager
def hold_lab(name: str, *, busy_with: str) -> Iterator[None]:
    """Have the lab for ourselves; Unavailable, naming the owner, if another process has it.

    The file goes with the lab: the last one to hold it removes it if the lab's directory is gone.
    """
    labs = state_dir() / "labs"
    labs.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = labs / f"{require_lab_name(name)}.lock"
    deadline = Deadline.after(SWEEP_LIMIT_S)
    descriptor = wait_until(lambda: _try_hold(path), f"the sweeping of lab {name}", deadline)
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"pid {os.getpid()}, {busy_with}\n".encode(), 0)
        yield
    finally:
        os.ftruncate(descriptor, 0)
        if not (labs / name).exists():
            path.unlink(missing_ok=True)
        os.close(descriptor)


def _try_hold(path: Path) -> int | None:
    """The locked file's descriptor; None while a sweeper has it; Unavailable for anyone else."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_file(descriptor, path):
            kept, descriptor = descriptor, -1
            return kept
    except BlockingIOError as error:
        owner = os.pread(descriptor, OWNER_MAX_BYTES, 0).decode(errors="replace").strip()
        if owner and not owner.endswith(SWEEPING):
            raise Unavailable(
                f"lab {path.stem} is in use: {owner}", try_next="xenlab status"
            ) from error
    finally:
        if descriptor >= 0:
            os.close(descriptor)
    return None


def _is_file(descriptor: int, path: Path) -> bool:
    """Whether the name still means the file that we locked, and not one made after its removal."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False
