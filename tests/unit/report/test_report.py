"""Reports: one row a subject, the same facts on a terminal, in a pipe and in JSON."""

from __future__ import annotations

import io
import json

import pytest

from xenlab.report.document import render_json
from xenlab.report.rows import build_rows
from xenlab.report.terminal import print_verdicts, render_lines
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

PASSED = Verdict(
    rule="payload intact",
    subject="alice -> bob udp4",
    outcome=Outcome.PASS,
    numbers={"intact": 60},
    control="60 datagrams compared",
)
LOST = Verdict(
    rule="no loss",
    subject="alice -> bob udp4",
    outcome=Outcome.FAIL,
    reasons=("silent loss between vif1.0 and vif2.0: 12 of 60 packets",),
)
CRASHED = Verdict(
    rule="console clean",
    subject="console of bob",
    outcome=Outcome.CRASH,
    reasons=("oops in bob",),
    node="bob",
)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_row_has_the_worst_outcome_and_the_reasons_of_what_did_not_pass() -> None:
    traffic, console = build_rows([PASSED, CRASHED, LOST])
    assert (traffic.subject, traffic.label) == ("alice -> bob udp4", "FAIL")
    assert traffic.rules == ("payload intact", "no loss")
    assert traffic.findings == ("no loss: silent loss between vif1.0 and vif2.0: 12 of 60 packets",)
    assert console.label == "CRASH(bob)"


def test_pipe_gets_one_plain_line_a_row_and_the_outcome_last() -> None:
    stream = io.StringIO()
    print_verdicts([PASSED, LOST], stream)
    assert stream.getvalue() == (
        "FAIL         alice -> bob udp4: payload intact, no loss\n"
        "    no loss: silent loss between vif1.0 and vif2.0: 12 of 60 packets\n"
        "FAIL: 1 PASS, 1 FAIL\n"
    )


def test_nothing_at_all_is_told_as_inconclusive() -> None:
    assert list(render_lines([])) == ["INCONCLUSIVE: no verdicts"]


def test_verdict_without_a_pass_and_without_a_reason_is_still_a_finding() -> None:
    silent = Verdict(rule="no loss", subject="a", outcome=Outcome.INCONCLUSIVE)
    assert build_rows([silent])[0].findings == ("no loss: INCONCLUSIVE",)


def test_terminal_gets_a_table_with_the_same_facts() -> None:
    stream = Terminal()
    print_verdicts([PASSED, LOST, CRASHED], stream)
    for fact in ("alice -> bob udp4", "CRASH(bob)", "oops in bob", "CRASH: 1 PASS, 1 FAIL"):
        assert fact in stream.getvalue()


def test_no_color_is_honoured_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured, plain = Terminal(), Terminal()
    print_verdicts([LOST], coloured)
    monkeypatch.setenv("NO_COLOR", "1")
    print_verdicts([LOST], plain)
    assert "\x1b[31m" in coloured.getvalue()
    assert "\x1b[31m" not in plain.getvalue()


# F15: a guest has a say in reasons; it must not speak to the terminal.
@pytest.mark.parametrize("hostile", ["\x1b]52;c;aGk=\x07", "\x1b[2J", "\r\n", "\x9b1A", "\u202e"])
@pytest.mark.parametrize("terminal", [io.StringIO, Terminal])
def test_escapes_of_a_guest_do_not_reach_the_terminal(
    hostile: str, terminal: type[io.StringIO]
) -> None:
    stream = terminal()
    verdict = Verdict(rule="no loss", subject="a", outcome=Outcome.FAIL, reasons=(f"x{hostile}y",))
    print_verdicts([verdict], stream)
    assert hostile not in stream.getvalue()


def test_words_of_rich_markup_are_only_words() -> None:
    stream = Terminal()
    print_verdicts([Verdict(rule="r", subject="[bold]a[/bold]", outcome=Outcome.PASS)], stream)
    assert "[bold]a[/bold]" in stream.getvalue()


def test_json_has_everything_and_its_schema_version() -> None:
    document = json.loads(render_json([PASSED, LOST], {"accelerator": "tcg"}))
    assert document["schema_version"] == 1
    assert document["environment"] == {"accelerator": "tcg"}
    assert (document["outcome"], document["exit_code"]) == ("FAIL", 1)
    assert document["verdicts"][0] == {
        "rule": "payload intact",
        "subject": "alice -> bob udp4",
        "outcome": "PASS",
        "node": "",
        "reasons": [],
        "numbers": {"intact": 60},
        "control": "60 datagrams compared",
        "test": "",
        "alarm": False,
        "layouts": [],
    }
