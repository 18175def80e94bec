"""All C of xenlab is clean by the kernel's own measure: checkpatch.pl of the lab's kernel."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.unit.house.repository import ROOT
from xenlab.kernel.driver_source import CHECKPATCH
from xenlab.kernel.patch_series import PatchSeries
from xenlab.kernel.shelf import list_series, shelf
from xenlab.kernel.workshop import Workshop
from xenlab.plan.model import KernelPlan

# A module whose purpose is to crash the kernel that it is loaded into.
ON_PURPOSE = {"xlfault": ("AVOID_BUG",)}
# What does not hold for a program: macros that only the kernel's own headers have,
MACROS_OF_THE_KERNEL = ("ARRAY_SIZE", "BIT_MACRO", "PREFER_DEFINED_ATTRIBUTE_MACRO")
# and rules that take a program for something else.
OF_PROGRAMS = (
    "CAMELCASE",  # PRIu64 and its like are C's names
    "EMBEDDED_FUNCTION_NAME",  # a usage begins with "usage", what ping says with "ping"
    "FUNCTION_ARGUMENTS",  # of `(void) __attribute__(...)`, which it does not understand
    "QUOTED_WHITESPACE_BEFORE_NEWLINE",  # " \n" are characters that end a word
    "SPLIT_STRING",  # usages and JSON are longer than a line, and no lines of a log
    "VOLATILE",  # sig_atomic_t of a signal handler
)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It leaves what it knows of names of other files where it runs."""
    monkeypatch.chdir(tmp_path)


def find_sources(folder: Path) -> list[Path]:
    """C below a folder; what is linked to is found where it lies."""
    return sorted(
        path for path in folder.rglob("*") if path.suffix in {".c", ".h"} and not path.is_symlink()
    )


def check(workshop: Workshop, kernel: KernelPlan, *words: str | Path) -> str:
    """What checkpatch has to say; best nothing."""
    folder = workshop.provide_source(kernel).folder
    argv = ["perl", str(folder / CHECKPATCH), "--no-tree", "--strict", f"--root={folder}"]
    done = subprocess.run([*argv, *words], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""


def check_files(
    workshop: Workshop, kernel: KernelPlan, files: Sequence[Path], ignored: Sequence[str]
) -> str:
    """The same of whole files."""
    assert files, "no C is no clean C"
    ignore = [f"--ignore={','.join(ignored)}"] if ignored else []
    return check(workshop, kernel, "--terse", "--show-types", *ignore, "--file", *files)


@pytest.mark.parametrize("name", list_series())
def test_shipped_series_is_clean(workshop: Workshop, kernel: KernelPlan, name: str) -> None:
    for patch in PatchSeries.read(shelf() / "patches" / name).patches:
        assert not check(workshop, kernel, patch.path)


@pytest.mark.parametrize(
    "folder", sorted((ROOT / "kernels/modules").iterdir()), ids=lambda folder: folder.name
)
def test_shipped_module_is_clean(workshop: Workshop, kernel: KernelPlan, folder: Path) -> None:
    ignored = ON_PURPOSE.get(folder.name, ())

    assert not check_files(workshop, kernel, find_sources(folder), ignored)


def test_programs_of_the_images_are_clean(workshop: Workshop, kernel: KernelPlan) -> None:
    files = find_sources(ROOT / "xenlab/images/tools")

    assert not check_files(workshop, kernel, files, (*MACROS_OF_THE_KERNEL, *OF_PROGRAMS))


def test_source_that_is_not_clean_is_told(
    workshop: Workshop, kernel: KernelPlan, tmp_path: Path
) -> None:
    source = tmp_path / "x.c"
    source.write_text("// SPDX-License-Identifier: GPL-2.0-only\nint x ;\n")

    assert "x.c:2: " in check_files(workshop, kernel, [source], OF_PROGRAMS)
