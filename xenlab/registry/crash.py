"""Crash files: what xenlab's own bugs leave behind for whoever mends them."""

from __future__ import annotations

import platform
import shlex
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from xenlab import __version__
from xenlab.registry.places import state_dir


def write_crash(error: BaseException, words: Sequence[str]) -> Path:
    """Write the traceback with the command that met it; the file's path."""
    folder = state_dir() / "crashes"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / time.strftime(f"%Y%m%d-%H%M%S-{time.monotonic_ns() % 1000:03}.txt")
    head = (
        f"xenlab {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
        f"$ xenlab {shlex.join(words)}\n\n"
    )
    path.write_text(head + "".join(traceback.format_exception(error)), encoding="utf-8")
    return path
