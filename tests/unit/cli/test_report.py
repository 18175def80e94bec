"""`xenlab report`: which run is meant, where the page goes, and what damage does to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.report.stored import PASSED, SILENT, silent_flow
from xenlab.cli.results import Results
from xenlab.report.html import PAGE_MAX_BYTES
from xenlab.verdict.verdict import Verdict

NEWEST = "20261122-120000-7"
OOPS = b"[    1.000000] BUG: kernel NULL pointer dereference, address: 0000000000000000\r\n"


@pytest.fixture
def runs(home: Path) -> Path:
    folder = home / "state" / "xenlab" / "runs"
    folder.mkdir(parents=True)
    return folder


def write_run(runs: Path, name: str, *verdicts: Verdict) -> Path:
    """A run that ended, as `xenlab test` writes it, with one console that says what went wrong."""
    folder = runs / name
    folder.mkdir()
    results = Results(folder=folder, command="xenlab test smoke", json_path=None, junit_path=None)
    results.begin("smoke on pair", {"xen": "4.17.7"})
    results.note(verdicts[:1], [silent_flow()])
    results.note(verdicts, [silent_flow()])
    results.keep_consoles([("alice", OOPS)])
    results.close(complete=True)
    return folder


def test_newest_run_is_reported_beside_its_results_and_its_path_printed(
    xenlab: Run, runs: Path
) -> None:
    write_run(runs, "20251122-120000-9", PASSED)
    newest = write_run(runs, NEWEST, PASSED, SILENT)

    said = xenlab("report")

    page = newest / "report.html"
    assert said.code == 0
    assert said.out.splitlines()[-1] == str(page)
    text = page.read_text(encoding="utf-8")
    for fact in ("silent loss between vif1.0 and vif2.0", "4.17.7", "oops in alice", "xenlab test"):
        assert fact in text
    assert text.count("<figure>") == 1


def test_command_that_began_nothing_leaves_no_run(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = runs / NEWEST
    folder.mkdir()

    Results(folder=folder, command="x", json_path=None, junit_path=None).close(complete=False)

    assert list(runs.iterdir()) == []
    assert "report:" not in capsys.readouterr().err


def test_what_consoles_said_while_drivers_took_turns_is_told_beside_the_runs_own(
    xenlab: Run, runs: Path
) -> None:
    folder = write_run(runs, NEWEST, PASSED)
    for node, said in (("alice", OOPS), ("bob", b"")):
        turns = folder / "turns" / "0"
        turns.mkdir(parents=True, exist_ok=True)
        (turns / f"{node}.console.log").write_bytes(said)

    assert xenlab("report").code == 0

    text = (folder / "report.html").read_text(encoding="utf-8")
    assert "alice, while drivers took turns: " in text
    assert f"The whole: {folder / 'turns' / '0' / 'alice.console.log'}" in text
    assert text.count("oops in alice") == 2
    assert "bob, while" not in text


@pytest.mark.parametrize("path", [True, False])
def test_run_is_named_or_its_folder_is(xenlab: Run, runs: Path, tmp_path: Path, path: bool) -> None:
    older = write_run(runs, "20251122-120000-9", SILENT)
    write_run(runs, NEWEST, PASSED)
    output = tmp_path / "out.html"

    said = xenlab("report", str(older) if path else older.name, "--output", str(output))

    assert said.out.splitlines()[-1] == str(output)
    assert "20251122-120000-9" in output.read_text(encoding="utf-8")
    assert not (older / "report.html").exists()


def test_page_on_standard_output_has_nothing_else_with_it(
    xenlab: Run, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(runs, NEWEST, PASSED)
    capsys.readouterr()

    said = xenlab("report", "--output", "-")

    assert said.out.startswith("<!doctype html>")
    assert said.out.endswith("</html>\n") or said.out.endswith("</html>")


def test_unknown_run_is_told_with_those_there_are(xenlab: Run, runs: Path) -> None:
    write_run(runs, NEWEST, PASSED)

    said = xenlab("report", "20261122-120000-8")

    assert said.code == 2
    assert f"no run `20261122-120000-8`; did you mean `{NEWEST}`?" in said.err
    assert f"(the newest are `{NEWEST}`)" in said.err


def test_without_any_run_the_way_to_one_is_told(xenlab: Run) -> None:
    said = xenlab("report")

    assert said.code == 2
    assert "try: xenlab test" in said.err
    assert "there is no run" in said.err


# F1: xenlab was killed, and left its folder at any point between its making and its end.
@pytest.mark.parametrize("left", ["nothing", "torn exhibits", "torn results"])
def test_run_that_was_killed_is_reported_as_far_as_it_came(
    xenlab: Run, runs: Path, left: str
) -> None:
    folder = write_run(runs, NEWEST, SILENT)
    exhibits, results = folder / "exhibits.jsonl", folder / "results.json"
    if left == "torn exhibits":
        exhibits.write_bytes(exhibits.read_bytes() + b'{"schema_version":1,"ru')
    if left == "torn results":
        results.write_bytes(results.read_bytes()[:100])
    if left == "nothing":
        exhibits.unlink()
        results.unlink()

    said = xenlab("report", NEWEST)

    assert said.code == 0
    assert "warning: " in said.err
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert ("silent loss" in text) is (left == "torn exhibits")


def test_console_of_10_mb_makes_no_large_page(xenlab: Run, runs: Path) -> None:
    folder = write_run(runs, NEWEST, PASSED)
    flood = OOPS + (b"\xff<script>\x1b]52;c;aGk=\x07" * 300 + b"\r\n") * 2000
    assert len(flood) > 10_000_000
    (folder / "consoles" / "0" / "bob.console.log").write_bytes(flood)

    assert xenlab("report").code == 0

    page = (folder / "report.html").read_bytes()
    assert len(page) <= PAGE_MAX_BYTES
    assert page.count(b"<script") == 1
    assert b"\x1b" not in page
    assert b"oops in bob" in page


def test_browser_is_given_the_page(
    xenlab: Run, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_run(runs, NEWEST, PASSED)
    opened = tmp_path / "opened"
    program = tmp_path / "bin" / "xdg-open"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf %s "$1" >{opened}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")

    assert xenlab("report", "--open").code == 0
    assert opened.read_text() == str(folder / "report.html")

    program.write_text("#!/bin/sh\nexit 3\n")
    said = xenlab("report", "--open")
    assert said.code == 4
    assert "no browser was found" in said.err


def test_page_on_standard_output_cannot_be_opened(xenlab: Run, runs: Path) -> None:
    assert xenlab("report", "--open", "--output", "-").code == 2


def test_end_of_a_test_names_the_command_for_its_report(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(runs, NEWEST, PASSED)

    assert f"xenlab report {NEWEST}" in capsys.readouterr().err
