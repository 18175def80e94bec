"""`xenlab mutants`: what it leaves out, before there is any lab."""

from __future__ import annotations

from pathlib import Path

from tests.unit.cli.conftest import Run

NAME = "netback-rx-bytes"


def test_untried_tries_nothing_that_the_table_has_an_ending_of(xenlab: Run, tmp_path: Path) -> None:
    page = tmp_path / "mutants.md"
    page.write_text(f"# Mutants\n\n| `{NAME}` | killed | 3 | test_a.py::test_a: FAIL no loss |\n")
    said = xenlab("mutants", "--untried", "--markdown", str(page), NAME)

    assert said.code == 2
    assert f"{page}: all 1 mutants have their endings there" in said.err


def test_untried_has_to_know_the_table(xenlab: Run) -> None:
    said = xenlab("mutants", "--untried", NAME)

    assert said.code == 2
    assert "Name its file by --markdown" in said.err
