"""The HTML report: what it says, that guests have no say in it, and that it stays small."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest

from tests.unit.report.stored import (
    PASSED,
    SILENT,
    bounces,
    calm_flow,
    console,
    histogram,
    silent_flow,
    stored,
    strategies,
)
from xenlab.report.html import PAGE_MAX_BYTES, render_html
from xenlab.report.stored_run import build_stored_run
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

HOSTILE = "a\x1b]52;c;aGk=\x07\x1b[2J\u202eb<script>alert(1)</script>\x00\ud800"
OOPS = (
    b"[    1.000000] BUG: kernel NULL pointer dereference, address: 0000000000000000\r\n"
    b"[    1.000001] <script>alert(1)</script>\r\n"
)


def test_page_says_what_failed_and_where_packets_went() -> None:
    page = render_html(stored(silent_flow()), "/runs/1")

    heading = re.search(r"<h1>(.*?)</h1>", page, re.DOTALL)
    assert heading is not None
    assert "silent loss between vif1.0 and vif2.0: 12 of 60 packets" in heading[1]
    assert "12 lost silently between vif1.0 and vif2.0" in page
    assert '<details class="way troubled" open>' in page


def test_page_of_a_run_without_trouble_says_how_much_was_seen() -> None:
    page = render_html(stored(calm_flow(), verdicts=[PASSED]), "/runs/1")

    assert "Nothing was lost: 60 packets of 1 flow accounted for at every hop." in page
    assert "So far" not in page


def test_page_of_a_run_that_did_not_end_says_so() -> None:
    page = render_html(stored(calm_flow(), verdicts=[PASSED], complete=False), "/runs/1")

    assert "So far nothing was lost" in page
    assert "the command did not end" in page


def test_run_that_passes_with_losses_that_were_foretold_does_not_deny_them() -> None:
    page = render_html(stored(silent_flow(), verdicts=(PASSED,)), "/runs/1")

    assert "othing was lost" not in page
    assert "1 verdict, every one a pass: 12 of 60 packets did not come through" in page


def test_what_was_skipped_is_no_headline_of_a_run_that_passes() -> None:
    skipped = replace(PASSED, outcome=Outcome.SKIP, reasons=("it cannot be changed",))
    passed = render_html(stored(silent_flow(), verdicts=(skipped, PASSED)), "/runs/1")
    nothing = render_html(stored(calm_flow(), verdicts=(skipped,)), "/runs/1")

    assert "2 verdicts, every one a pass but for 1 skipped: 12 of 60 packets" in passed
    heading = re.search(r"<h1>(.*?)</h1>", nothing, re.DOTALL)
    assert heading is not None
    assert "it cannot be changed" in heading[1]


def test_page_has_numbers_reasons_control_environment_and_command() -> None:
    page = render_html(stored(), "/runs/1")

    for fact in ("sent packets <b>60</b>", "control: 60 packets counted", "4.17", "/runs/1"):
        assert fact in page
    assert "<code>xenlab test smoke</code>" in page


def test_page_has_slots_and_tables_where_there_are_any() -> None:
    page = render_html(stored(histogram(), strategies(), bounces()), "/runs/1")

    assert "<h3>Ring slots</h3>" in page
    assert "<h3>Strategies</h3>" in page
    assert "<h3>Over the wire</h3>" in page
    assert "sg off" in page
    without = render_html(stored(), "/runs/1")
    assert "Ring slots" not in without
    assert "Strategies" not in without


def test_colour_of_a_legend_is_never_on_another_line_than_its_word() -> None:
    page = render_html(stored(silent_flow(), histogram()), "/runs/1")

    colours = page.count('<span class="key ')
    assert colours == page.count('<span class="entry"><span class="key ')
    assert colours == 5 + 8
    assert ".entry { display: inline-block; white-space: nowrap;" in page


def test_page_loads_nothing_and_lets_no_script_run_but_its_own() -> None:
    page = render_html(stored(silent_flow(), histogram()), "/runs/1")

    assert "default-src 'none'" in page
    assert not re.search(r"""(?:src|href)\s*=|@import|url\((?!#)""", page)
    assert page.count("<script") == 1


@pytest.mark.parametrize(
    "field", ["rule", "subject", "reasons", "control", "node", "environment", "flow", "console"]
)
def test_what_a_guest_says_is_only_text(field: str) -> None:
    verdict = SILENT
    if field in {"rule", "subject", "control", "node"}:
        verdict = replace(SILENT, **{field: HOSTILE})  # type: ignore[arg-type]
    if field == "reasons":
        verdict = replace(SILENT, reasons=(HOSTILE,))
    said = HOSTILE.encode("utf-8", "replace") + b"\xff\xfe\r\n" + OOPS
    run = stored(
        replace(silent_flow(), subject=HOSTILE if field == "flow" else "a"),
        verdicts=[verdict],
        consoles=[console(said if field == "console" else b"quiet\r\n")],
    )
    if field == "environment":
        run = replace(run, runs=(replace(run.runs[0], environment={HOSTILE: HOSTILE}),))

    page = render_html(run, "/runs/1")

    assert page.count("<script") == 1
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", page)
    page.encode()  # no lone surrogate
    assert html.escape("<script>alert(1)</script>") in page or field == "flow"


def test_console_shows_its_faults_its_end_and_where_the_whole_is() -> None:
    said = OOPS + b"".join(b"line %d\r\n" % number for number in range(1000))
    page = render_html(stored(consoles=[console(said)]), "/runs/1")

    assert "oops in alice" in page
    assert "line 999<" in page
    assert "line 100\n" not in page
    assert "The whole: /runs/1/consoles/0/alice.console.log" in page


def test_three_consoles_of_10_mb_and_hundreds_of_pictures_stay_below_2_mb() -> None:
    line = b"<&>" * 60 + b"\r\n"
    quiet = console(OOPS * 30)
    tail = (line * (10_000_000 // len(line)))[-(1 << 17) :]
    consoles = [
        replace(quiet, node=node, path=f"/logs/{node}", tail=tail, log_bytes=10_000_000)
        for node in ("dom0", "alice", "bob")
    ]
    flow = silent_flow()
    flows = [replace(flow, sink=f"bob eth{number % 50}") for number in range(400)]
    verdicts = [replace(SILENT, reasons=("<" * 1000,) * 4) for _ in range(2000)]

    page = render_html(stored(*flows, verdicts=verdicts, consoles=consoles), "/runs/1")

    assert len(page.encode()) <= PAGE_MAX_BYTES
    assert "left out" in page
    assert "The whole: /logs/dom0" in page


def test_run_without_any_result_is_a_page_that_knows_nothing() -> None:
    page = render_html(build_stored_run("1", None, b"", ()), "/runs/1")

    assert "No verdict was given" in page
    assert "results.json is not there" in page


def test_verdicts_that_did_not_pass_come_first() -> None:
    crash = Verdict(rule="console clean", subject="bob", outcome=Outcome.CRASH, node="bob")
    page = render_html(stored(verdicts=[PASSED, SILENT, crash]), "/runs/1")

    rows = re.findall(r'<tr class="verdict outcome-(\w+)">', page)
    assert rows == ["CRASH", "FAIL", "PASS"]
    assert "CRASH(bob)" in page
