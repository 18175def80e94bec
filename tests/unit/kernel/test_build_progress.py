"""BuildProgress: steps of make are counted, told now and then, with an estimate where one is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from xenlab.kernel.build_progress import EVERY_S, FEW, BuildProgress


def watch(expected: int, files: int, *, step_s: float) -> list[str]:
    """What is told while so many files are compiled, each in so many seconds."""
    told: list[str] = []
    seconds: Iterator[float] = (step_s * number for number in range(files + 1))
    progress = BuildProgress(report=told.append, expected=expected, clock=lambda: next(seconds))
    for number in range(files):
        progress.take(f"  CC      net/core/file{number}.o")
    assert progress.compiled == files
    return told


def test_current_file_and_rest_are_told_from_the_pace_so_far() -> None:
    told = watch(1000, 100, step_s=1.0)

    assert told[-1] == ("100 of about 1000 files, about 15:00 min left; CC net/core/file99.o")
    assert len(told) == 100 / EVERY_S


@pytest.mark.parametrize(
    ("expected", "files"), [(0, 100), (1000, FEW - 1), (50, 100)], ids=["none", "few", "passed"]
)
def test_no_estimate_is_made_from_nothing(expected: int, files: int) -> None:
    told = watch(expected, files, step_s=EVERY_S)

    assert told[-1] == f"{files} files compiled; CC net/core/file{files - 1}.o"


@pytest.mark.parametrize(
    ("line", "compiled"),
    [
        ("  CC [M]  drivers/net/xen-netfront.o", 1),
        ("  AS      arch/x86/entry/entry_64.o", 1),
        ("  LD      vmlinux.o", 0),
        ("make[1]: Entering directory", 0),
        ("net/core/dev.c:3:1: warning: CC is here", 0),
    ],
)
def test_compiled_files_are_told_from_other_lines(line: str, compiled: int) -> None:
    progress = BuildProgress(report=print)

    progress.take(line)

    assert progress.compiled == compiled
