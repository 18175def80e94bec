"""Run directories: made and removed while other labs of this user come and go beside."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from xenlab.waiting import Deadline, wait_until

MAKE_LIMIT_S = 10.0


def make_run_directory(run: Path) -> None:
    """Make a lab's run directory; one above it may go at any moment, with the last lab in it."""
    wait_until(lambda: _try_make(run), f"{run.parent} to stay", Deadline.after(MAKE_LIMIT_S))


def remove_run_directory(run: Path) -> None:
    """Remove a lab's run directory, and those above it that are ours if it was the last there."""
    shutil.rmtree(run, ignore_errors=True)
    for directory in (run.parent, run.parent.parent):
        with suppress(OSError):  # another lab is there, or was the last one and has just done it
            directory.rmdir()


def _try_make(run: Path) -> bool:
    with suppress(FileNotFoundError, FileExistsError):  # it may be there, and gone a moment later
        run.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        run.mkdir(mode=0o700)
        return True
    return False
