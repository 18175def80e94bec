"""Results as JSON and as JUnit XML: every verdict with its reasons, and what all come to."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

from xenlab.report.columns import render_columns
from xenlab.report.results import SuiteRun, render_results, render_results_junit
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

GOOD = Verdict(
    rule="no loss", subject="alice -> bob", outcome=Outcome.PASS, numbers={"sent": 10},
    control="10 of 10 seen",
)  # fmt: skip
LOST = Verdict(
    rule="no loss", subject="bob -> alice", outcome=Outcome.FAIL, reasons=("1 lost \x00<here>",)
)
CRASH = Verdict(rule="console clean", subject="bob", outcome=Outcome.CRASH, node="bob")
SKIP = Verdict(rule="kvm", subject="host", outcome=Outcome.SKIP, reasons=("no kvm",))
RUNS = (
    SuiteRun(name="smoke on pair", environment={"xen": "4.17"}, verdicts=(GOOD, LOST)),
    SuiteRun(name="smoke on quad", environment={}, verdicts=(CRASH, SKIP)),
)


def test_json_has_every_run_and_what_all_come_to() -> None:
    document = json.loads(render_results(RUNS, complete=True))

    assert (document["outcome"], document["exit_code"], document["complete"]) == ("CRASH", 1, True)
    assert [run["outcome"] for run in document["runs"]] == ["FAIL", "CRASH"]
    assert document["runs"][0]["environment"] == {"xen": "4.17"}
    assert document["runs"][0]["verdicts"][0]["numbers"] == {"sent": 10}


def test_json_without_any_verdict_is_inconclusive() -> None:
    document = json.loads(render_results((), complete=False))

    assert (document["outcome"], document["exit_code"]) == ("INCONCLUSIVE", 7)
    assert document["complete"] is False


def test_junit_counts_failures_errors_and_skips_apart() -> None:
    root = ET.fromstring(render_results_junit(RUNS))  # noqa: S314 (our own)

    counts = [
        (suite.get("name"), suite.get("failures"), suite.get("errors"), suite.get("skipped"))
        for suite in root
    ]
    assert counts == [("smoke on pair", "1", "0", "0"), ("smoke on quad", "0", "1", "1")]
    failure = root.find(".//failure")
    assert failure is not None
    assert failure.text == "1 lost \ufffd<here>"
    crash = root.find(".//error")
    assert crash is not None
    assert crash.get("type") == "CRASH(bob)"


def test_columns_are_as_wide_as_their_widest_cell_and_nothing_is_below_a_head_alone() -> None:
    rows = [("alice", "up"), ("b\x1b[2J", "")]

    assert list(render_columns(("N", "STATE"), rows)) == ["N      STATE", "alice  up", "b"]
    assert list(render_columns(("N", "STATE"), [])) == []
