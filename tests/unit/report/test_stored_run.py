"""Stored runs: what was written is read back, and damage is told and costs nothing else."""

from __future__ import annotations

import json
from dataclasses import replace

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


def run_with(**fields: object) -> bytes:
    """Results of one verdict with other fields; None is for one that is not there."""
    document = json.loads(render_results([replace(RUN, verdicts=(SILENT,))], complete=True))
    told = document["runs"][0]["verdicts"][0] | fields
    kept = {key: value for key, value in told.items() if value is not None}
    document["runs"][0]["verdicts"] = [kept]
    return json.dumps(document).encode()


def test_alarm_and_the_test_it_is_of_are_read_back() -> None:
    told = replace(SILENT, test="smoke/test_smoke.py::test_loss", alarm=True)
    results = render_results([replace(RUN, verdicts=(told,))], complete=True).encode()

    assert build_stored_run("1", results, b"", ()).verdicts == (told,)


def test_run_that_was_kept_before_verdicts_knew_their_tests_is_still_read() -> None:
    run = build_stored_run("1", run_with(test=None, alarm=None), b"", ())

    assert (run.verdicts, run.problems) == ((SILENT,), ())


def test_alarm_that_is_neither_true_nor_false_is_damage() -> None:
    (problem,) = build_stored_run("1", run_with(alarm=1), b"", ()).problems

    assert problem == "results.json cannot be read: int instead of true or false"


def test_half_written_last_exhibit_costs_only_itself() -> None:
    line = render_exhibit(KeptExhibit(run=0, exhibit=silent_flow())).encode()

    kept, problems = parse_exhibits((line + line[: len(line) // 2]).splitlines())

    assert [each.exhibit for each in kept] == [silent_flow()]
    assert len(problems) == 1
    assert "exhibit 2 cannot be read" in problems[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"schema_version":2', b'"schema_version":1'),
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
