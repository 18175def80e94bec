"""`xenlab compare`: two kept runs beside each other, the control runs in them left out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.report.stored import PASSED, SILENT
from xenlab.cli.results import Results
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

OOPS = b"[    1.000000] BUG: kernel NULL pointer dereference, address: 0000000000000000\r\n"
QUIET = b"[    1.000000] xen_netfront: Initialising Xen virtual ethernet driver\r\n"
TRIPLE_FAULT = Path(__file__).parents[1] / "verdict" / "recorded" / "xen-triple-fault-guest.log"
GOOD = replace(SILENT, outcome=Outcome.PASS, reasons=())


@pytest.fixture
def runs(home: Path) -> Path:
    folder = home / "state" / "xenlab" / "runs"
    folder.mkdir(parents=True)
    return folder


def keep(
    runs: Path, name: str, *sides: tuple[str, Verdict, bytes], complete: bool = True,
    accelerator: str = "kvm",
) -> None:  # fmt: skip
    """A run of one side or more, as `xenlab test` and `xenlab try` leave it."""
    (runs / name).mkdir()
    results = Results(folder=runs / name, command="x", json_path=None, junit_path=None)
    for side, verdict, console in sides:
        environment = {"xen": "4.17.7", "side": side, "origin": name, "accelerator": accelerator}
        results.begin(f"{side} smoke", environment)
        results.note([verdict, PASSED])
        results.keep_consoles([("alice", console)])
    results.finish(complete=complete)


def test_run_that_got_worse_fails_and_says_where(xenlab: Run, runs: Path, tmp_path: Path) -> None:
    keep(runs, "one", ("", GOOD, QUIET))
    keep(runs, "two", ("", SILENT, QUIET))
    junit = tmp_path / "junit.xml"

    said = xenlab("compare", "one", "two", "--json", "-", "--junit", str(junit))

    assert said.code == 1
    document = json.loads(said.out)
    assert [change["turn"] for change in document["changes"]] == ["worse", "same"]
    assert document["environment"] == {"origin": ["one", "two"]}
    assert 'failures="1"' in junit.read_text()
    shown = xenlab("compare", "one", "two").out
    assert "worse   alice -> bob udp4: no loss: PASS -> FAIL" in shown
    assert "origin: one -> two" in shown
    assert "throughput not compared" in shown


def test_run_beside_itself_has_changed_nothing(xenlab: Run, runs: Path) -> None:
    keep(runs, "one", ("", GOOD, QUIET))

    said = xenlab("compare", "one", str(runs / "one"))

    assert said.code == 0
    assert said.out.splitlines()[-1] == "PASS: nothing changed"


def test_of_a_try_the_patched_side_counts(xenlab: Run, runs: Path) -> None:
    keep(runs, "one", ("", GOOD, QUIET))
    keep(runs, "two", ("patched", SILENT, QUIET), ("base", GOOD, OOPS))

    said = xenlab("compare", "one", "two")

    assert said.code == 1
    assert "oops" not in said.out


def test_new_crash_is_a_crash_with_its_fingerprint(xenlab: Run, runs: Path) -> None:
    keep(runs, "one", ("", GOOD, QUIET))
    keep(runs, "two", ("", GOOD, OOPS))

    said = xenlab("compare", "one", "two")

    assert said.code == 1
    assert "CRASH: 1 new fault on consoles" in said.out
    assert "new: oops in alice" in said.out


@pytest.mark.parametrize(("accelerator", "code"), [("tcg", 6), ("kvm", 1)])
def test_triple_fault_of_a_guest_is_the_emulators_where_there_is_one(
    xenlab: Run, runs: Path, accelerator: str, code: int
) -> None:
    keep(runs, "one", ("", GOOD, QUIET), accelerator=accelerator)
    keep(runs, "two", ("", GOOD, TRIPLE_FAULT.read_bytes()), accelerator=accelerator)

    assert xenlab("compare", "one", "two").code == code


def test_failure_of_both_runs_is_inconclusive(xenlab: Run, runs: Path) -> None:
    keep(runs, "one", ("", SILENT, QUIET))

    assert xenlab("compare", "one", "one").code == 7


def test_run_that_did_not_end_is_compared_with_a_warning(xenlab: Run, runs: Path) -> None:
    keep(runs, "one", ("", GOOD, QUIET), complete=False)

    said = xenlab("compare", "one", "one")

    assert said.code == 0
    assert "warning: one: the command did not end" in said.err


def test_run_that_is_not_there_is_refused(xenlab: Run, runs: Path) -> None:
    keep(runs, "one", ("", GOOD, QUIET))

    said = xenlab("compare", "one", "on")

    assert said.code == 2
    assert "there is no run `on`" in said.err


def test_both_runs_that_are_not_there_are_told_each_once(xenlab: Run, runs: Path) -> None:
    for words in (("one", "two"), ("one", "one")):
        said = xenlab("compare", *words)

        assert said.code == 2
        *problems, way_out = said.err.splitlines()
        assert problems == [
            f"xenlab: there is no run `{word}` (there is none)" for word in dict.fromkeys(words)
        ]
        assert way_out == "  try: xenlab test"
