"""`make help` lists every target, and `make lab` passes its words on to xenlab."""

from __future__ import annotations

import re
import subprocess

from tests.unit.house.repository import ROOT

TARGET = re.compile(r"^([a-z][a-z-]*):(?!=)", re.MULTILINE)
LISTED = re.compile(r"^  make ([a-z-]+) +\S", re.MULTILINE)


def run_make(*words: str) -> str:
    """What `make` prints for these words."""
    return subprocess.run(
        ["make", "--no-print-directory", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def read_targets() -> set[str]:
    """The names of all targets that a person may type."""
    return set(TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))


def test_help_lists_every_target_with_what_it_does() -> None:
    assert set(LISTED.findall(run_make("help"))) == read_targets()


def test_help_is_what_make_alone_does() -> None:
    assert run_make() == run_make("help")


def test_help_lists_the_targets_that_the_project_promises() -> None:
    promised = {"help", "lab", "deps", "venv", "check", "format", "test", "bench", "soak", "clean"}

    assert promised <= read_targets()


def test_lab_passes_its_words_on_and_runs_no_target_of_the_same_name() -> None:
    commands = run_make("-n", "lab", "test", "smoke", "ARGS=--json out.json").splitlines()

    assert ".venv/bin/xenlab test smoke --json out.json" in commands
    assert not any("pytest" in command for command in commands)


def test_lab_alone_shows_the_help_of_xenlab() -> None:
    assert any(".venv/bin/xenlab --help" in line for line in run_make("-n", "lab").splitlines())
