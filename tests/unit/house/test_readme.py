"""Every command that README.md shows exists, and it fits on a screen's worth of text."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.unit.house.repository import ROOT
from tests.unit.house.test_make import read_targets

RUN_XENLAB = "from xenlab.cli.main import main; main()"
COMMAND = re.compile(r"(?:^    |`)(?:[\w./]*/)?(make|xenlab) +([a-z][\w-]*)(?: +([a-z][\w-]*))?")
README = ROOT / "README.md"


def find_commands(text: str) -> Iterator[tuple[str, str]]:
    """Each command of the text as `make TARGET` or `xenlab COMMAND`; `make lab X` is both."""
    for line in text.splitlines():
        for program, word, second in COMMAND.findall(line):
            yield program, word
            if (program, word) == ("make", "lab") and second:
                yield "xenlab", second


SHOWN = sorted(set(find_commands(README.read_text(encoding="utf-8"))))


def test_commands_are_found_in_blocks_and_in_text() -> None:
    text = "    make lab up\nuse `make test`, or `.venv/bin/xenlab status`; do not make noise"

    assert list(find_commands(text)) == [
        ("make", "lab"), ("xenlab", "up"), ("make", "test"), ("xenlab", "status")
    ]  # fmt: skip


def test_readme_shows_the_commands_of_a_first_visit() -> None:
    first = {("make", "lab"), ("xenlab", "up"), ("xenlab", "test"), ("make", "test")}

    assert first <= set(SHOWN)


@pytest.mark.parametrize("target", [word for program, word in SHOWN if program == "make"])
def test_make_target_exists(target: str) -> None:
    assert target in read_targets()


@pytest.mark.parametrize("command", [word for program, word in SHOWN if program == "xenlab"])
def test_xenlab_command_exists(command: str) -> None:
    asked = subprocess.run(
        [sys.executable, "-c", RUN_XENLAB, command, "--help"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert asked.returncode == 0, asked.stderr
    assert "Usage" in asked.stdout
