"""`xenlab test --layout-file`: what is refused at once, and what a run keeps for it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run
from xenlab.cli.results import Results
from xenlab.cli.suite_order import SHIPPED, SuiteOrder
from xenlab.report.stored_run import build_stored_run
from xenlab.slots.layout import parse_layout
from xenlab.traffic.layout_file import read_layout_file
from xenlab.verdict.layouts import LAYOUTS_FILE
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

WORDS = ("lin=70@4061 frag=1:4095:2", "lin=100@0 csum=none proto=tcp6")
FAILED = Verdict(
    rule="layouts as predicted", subject="alice -> bob", outcome=Outcome.FAIL, layouts=WORDS
)


def test_every_wrong_line_is_told_and_nothing_is_done(xenlab: Run, tmp_path: Path) -> None:
    file = tmp_path / "wrong"
    file.write_text("lin=1\nlin=70@0 x=1\n")

    said = xenlab("test", "slots", "--layout-file", str(file))

    assert said.code == 2
    assert f"{file}:1:1: `lin=1`: should be LENGTH@OFFSET" in said.err
    assert f"{file}:2:10: `x=1`: unknown word" in said.err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("smoke",), "only `slots`, `fraglist` send its layouts"),
        (("slots", "--layouts", "7"), "--layouts says how many random ones"),
    ],
)
def test_layouts_that_nobody_would_send_are_refused(
    xenlab: Run, tmp_path: Path, words: tuple[str, ...], why: str
) -> None:
    file = tmp_path / "file"
    file.write_text(WORDS[0])

    said = xenlab("test", *words, "--layout-file", str(file))

    assert said.code == 2
    assert why in said.err


def test_suite_gets_the_layouts_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("\n".join(WORDS))

    for word in ("slots", str(SHIPPED / "fraglist/test_fraglist.py")):
        order = SuiteOrder.parse(
            (word,), keyword="", quick=False, plant=None, plant_every=None, repeat=1,
            layout_file=str(file),
        )  # fmt: skip
        assert order.endurance.given == tuple(map(parse_layout, WORDS))


def test_run_keeps_every_layout_that_disagrees_once_as_it_can_be_sent_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = Results(folder=tmp_path, command="x", json_path=None, junit_path=None)
    later = replace(FAILED, subject="bob -> alice\x1b", layouts=WORDS[:1])
    passed = replace(FAILED, outcome=Outcome.PASS, layouts=())

    results.begin("slots on pair", {})
    results.note([FAILED])
    results.note([FAILED, passed, later])
    results.note([FAILED, passed, later])
    results.finish(complete=True)

    kept = tmp_path / LAYOUTS_FILE
    assert read_layout_file(str(kept)) == tuple(map(parse_layout, (*WORDS, WORDS[0])))
    assert "\x1b" not in kept.read_text()
    assert str(kept) in capsys.readouterr().err
    document = (tmp_path / "results.json").read_bytes()
    assert json.loads(document)["runs"][0]["verdicts"][0]["layouts"] == list(WORDS)
    assert build_stored_run("x", document, b"", ()).verdicts == (FAILED, passed, later)


def test_run_of_which_all_layouts_agree_keeps_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = Results(folder=tmp_path, command="x", json_path=None, junit_path=None)
    results.begin("slots on pair", {})
    results.note([replace(FAILED, outcome=Outcome.PASS, layouts=())])
    results.finish(complete=True)

    assert not (tmp_path / LAYOUTS_FILE).exists()
    assert capsys.readouterr().err == ""
