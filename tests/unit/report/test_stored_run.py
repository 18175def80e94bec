"""Stored runs: what was written is read back, and damage is told and costs nothing else."""

from __future__ import annotations

import pytest

from tests.unit.report.stored import (
    PASSED,
    SILENT,
    change,
    histogram,
    silent_flow,
    stored,
    strategies,
)
from xenlab.report.exhibits import KeptExhibit, parse_exhibits, render_exhibit
from xenlab.report.results import SuiteRun, render_results
from xenlab.report.stored_run import build_stored_run

RUN = SuiteRun(name="smoke on pair", environment={}, verdicts=(SILENT, PASSED))
RESULTS = render_results([RUN], complete=True).encode()


def test_what_was_written_is_read_back() -> None:
    run = stored(silent_flow(), histogram(), strategies())

    assert run.verdicts == (SILENT, PASSED)
    assert run.exhibits_of(0) == (silent_flow(), histogram(), strategies())
    assert (run.problems, run.complete, run.command) == ((), True, "xenlab test smoke")


def test_half_written_last_exhibit_costs_only_itself() -> None:
    line = render_exhibit(KeptExhibit(run=0, exhibit=silent_flow())).encode()

    kept, problems = parse_exhibits((line + line[: len(line) // 2]).splitlines())

    assert [each.exhibit for each in kept] == [silent_flow()]
    assert len(problems) == 1
    assert "exhibit 2 cannot be read" in problems[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"schema_version":1', b'"schema_version":2'),
        (b'"kind":"flow"', b'"kind":"flaw"'),
        (b'"run":0', b'"run":"0"'),
        (b'"wire_packets":60', b'"wire_packets":"60"'),
        (b'"wire_packets":60,', b""),
        (b"{", b"["),
    ],
)
def test_exhibit_of_another_make_is_told_and_left_out(before: bytes, after: bytes) -> None:
    line = render_exhibit(KeptExhibit(run=0, exhibit=silent_flow())).encode()
    assert before in line

    kept, problems = parse_exhibits([line.replace(before, after, 1)])

    assert (kept, len(problems)) == ((), 1)


@pytest.mark.parametrize(
    "results",
    [
        b"",
        RESULTS[: len(RESULTS) // 2],
        b"\xff\xfe\x00",
        b"[]",
        change(RESULTS, schema_version=99),
        change(RESULTS, runs={}),
        change(RESULTS, runs=[{"name": 1}]),
        change(RESULTS, runs=[{"name": "a", "environment": {}, "verdicts": [{}]}]),
        RESULTS.replace(b'"FAIL"', b'"FALI"'),
        RESULTS.replace(b": 60", b": 6.0"),
    ],
)
def test_damaged_results_are_told_and_the_exhibits_stay(results: bytes) -> None:
    line = render_exhibit(KeptExhibit(run=0, exhibit=histogram())).encode()

    run = build_stored_run("1", results, line, ())

    assert (run.verdicts, run.complete) == ((), False)
    assert "results.json cannot be read" in run.problems[0]
    assert run.exhibits_of(0) == (histogram(),)


def test_results_that_are_not_complete_say_so() -> None:
    run = stored(complete=False)

    assert run.verdicts == (SILENT, PASSED)
    assert run.problems == ("the command did not end: more tests may have been to come",)
