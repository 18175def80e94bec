"""Packages unpacked into a folder, whole or in part."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from xenlab.transport.process import run
from xenlab.waiting import Deadline


def unpack_debs(debs: Iterable[Path], folder: Path, deadline: Deadline) -> None:
    """Unpack packages whole, one over the other: for kernels, which are too big for memory."""
    for deb in debs:
        argv = ("dpkg-deb", "--extract", str(deb), str(folder))
        run(argv, deadline=deadline).require_success()


def unpack_debs_without(
    globs: Iterable[str], debs: Iterable[Path], folder: Path, deadline: Deadline
) -> None:
    """Unpack packages but for paths that match one of tar's globs: for thousands of small files."""
    excluded = tuple(f"--exclude={glob}" for glob in globs)
    for deb in debs:
        whole = ("dpkg-deb", "--fsys-tarfile", str(deb))
        packed = run(whole, deadline=deadline).require_success().stdout
        argv = ("tar", "--extract", "--no-same-owner", *excluded, "--directory", str(folder))
        run(argv, stdin=packed, deadline=deadline).require_success()
