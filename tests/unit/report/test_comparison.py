"""A comparison as people read it, as programs do, in a mail, and kept on the disk."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.unit.measure.test_contest import contest
from tests.unit.verdict.test_comparison import compare, fault, verdict
from xenlab.measure.contest import NO_DIFFERENCE, Contest
from xenlab.report.attempt import tell_bisection, tell_comparison, tell_walk
from xenlab.report.comparison import ComparisonView
from xenlab.report.comparison_document import encode_comparison
from xenlab.report.cover import MAIL_COLUMNS, join_environments, render_cover
from xenlab.report.results import SuiteRun
from xenlab.report.series_walk import Found, SeriesWalk, Step
from xenlab.report.side_document import parse_side, render_side
from xenlab.report.stored_run import Malformed
from xenlab.verdict.bisection import Bisection
from xenlab.verdict.comparison import Comparison
from xenlab.verdict.loss import NO_LOSS
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.side import Side
from xenlab.verdict.verdict import Verdict

PASS, FAIL, CRASH = Outcome.PASS, Outcome.FAIL, Outcome.CRASH
COMMAND = "xenlab try my.patch --quick"


def lossy(missing: int) -> Side:
    numbers = {"datagrams": 16, "datagrams_missing": missing, "packets_lost": 0,
               "forward_packets": 100, "backward_packets": 0}  # fmt: skip
    reasons = (f"udp4: {missing} of 16 datagrams missing",) if missing else ()
    told = Verdict(rule=NO_LOSS, subject="alice -> bob", outcome=FAIL if missing else PASS,
                   reasons=reasons, numbers=numbers)  # fmt: skip
    return Side(verdicts=(told, verdict(PASS, "console of dom0", "console clean")))


def view(base: Side, patched: Side, **more: object) -> ComparisonView:
    return ComparisonView(comparison=Comparison(base=base, patched=patched), **more)  # type: ignore[arg-type]


def test_table_says_what_changed_and_the_lines_below_why() -> None:
    lines = list(view(lossy(0), lossy(8), uncompared="it fails").render())

    assert lines[0].split() == ["BASE", "PATCHED"]
    assert lines[1].split("  ")[0] == "verdicts"
    assert "2 PASS" in lines[1]
    assert "1 PASS, 1 FAIL" in lines[1]
    assert [line.split() for line in lines if line.startswith("datagrams lost")] == [
        ["datagrams", "lost", "of", "1000", "0", "500", "differs"]
    ]
    assert "worse   alice -> bob: no loss: PASS -> FAIL" in lines
    assert "    udp4: 8 of 16 datagrams missing" in lines
    assert "throughput not compared: it fails" in lines
    assert lines[-1] == "FAIL: 1 worse"


def test_nothing_that_changed_is_said_in_one_line() -> None:
    lines = list(view(lossy(0), lossy(0)).render())

    assert lines[-1] == "PASS: nothing changed"
    assert not any("console of dom0" in line for line in lines)


def test_side_that_counted_nothing_does_not_differ() -> None:
    rows = list(view(lossy(0), Side(verdicts=())).rows())

    assert ("datagrams lost of 1000", "0", "-", "") in rows


def test_what_the_patch_mends_is_shown_with_what_it_was() -> None:
    lines = list(view(lossy(8), lossy(0)).render())

    assert "better  alice -> bob: no loss: FAIL -> PASS" in lines
    assert "    udp4: 8 of 16 datagrams missing" in lines


def test_what_fails_on_both_sides_is_shown_too() -> None:
    lines = list(view(lossy(8), lossy(8)).render())

    assert "same    alice -> bob: no loss: FAIL -> FAIL" in lines
    assert lines[-1] == "INCONCLUSIVE: nothing changed"


def test_suite_that_ended_early_is_counted_and_not_listed() -> None:
    both = lossy(0)
    lines = list(view(both, replace(both, verdicts=both.verdicts[:1])).render())

    assert lines[-1] == "INCONCLUSIVE: 1 not reached by the patched side"
    assert not any("console of dom0" in line for line in lines)


def test_throughput_is_told_with_its_interval() -> None:
    turns = contest(*((1000, 1001), (1001, 1000)) * 3)
    rows = {row[0]: row for row in view(lossy(0), lossy(0), contests=(turns,)).rows()}

    assert NO_DIFFERENCE in rows["goodput, Mbit/s (alice -> bob)"][3]
    assert rows["of these, linearised of 1000"][1:] == ("200", "200", "")


def test_side_that_is_slower_is_not_called_unchanged() -> None:
    lines = list(view(lossy(0), lossy(0), contests=(contest(*((1000, 500),) * 6),)).render())

    assert lines[-1] == (
        "PASS: no verdict changed, goodput 0.50 of the base's, CPU a byte 2.00 of the base's"
    )


def test_what_one_repetition_counted_differs_where_one_side_has_none() -> None:
    turns = contest(*((1000, 1001), (1001, 1000)) * 3)
    fewer = replace(turns, patched=replace(turns.patched, linearised_pkts=150))
    none = replace(turns, patched=replace(turns.patched, linearised_pkts=0))

    def said(held: Contest) -> str:
        rows = {row[0]: row[3] for row in view(lossy(0), lossy(0), contests=(held,)).rows()}
        return rows["of these, linearised of 1000"]

    assert (said(fewer), said(none)) == ("", "on the base alone")


def test_fault_of_a_guest_cannot_speak_to_the_terminal() -> None:
    wild = replace(fault(), headline="\x1b]52;c;x\x07")
    patched = Side(verdicts=lossy(0).verdicts, faults=(wild,))
    lines = list(view(lossy(0), patched).render())

    assert not any("\x1b" in line for line in lines)
    assert any("new: oops in alice" in line for line in lines)


def test_document_has_every_change_and_every_number() -> None:
    turns = contest(*((1000, 500),) * 6)
    document = json.loads(
        json.dumps(encode_comparison(view(lossy(0), lossy(8), contests=(turns,))))
    )

    assert document["outcome"] == "FAIL"
    assert document["exit_code"] == 1
    assert document["changes"][0] == {
        "rule": NO_LOSS, "subject": "alice -> bob", "turn": "worse", "base": "PASS",
        "patched": "FAIL",
    }  # fmt: skip
    assert document["penalties"][0]["patched"]["per_thousand"] == 500
    assert document["contests"][0]["goodput_ratio"]["difference_seen"] is True
    assert document["throughput_not_compared"] is None


def test_cover_has_what_ran_what_changed_and_how_to_do_it_again() -> None:
    environment = {"xen": "4.17.7", "kernels": "dom0 6.1, " * 12, "origin": "bare checkpoint"}
    turns = contest(*((1000, 1001), (1001, 1000)) * 3)

    lines = list(
        render_cover(
            view(lossy(0), lossy(8), contests=(turns,)),
            environment,
            ["net: \x1b[1m change"],
            COMMAND,
        )
    )

    text = "\n".join(lines)
    assert "xen: 4.17.7" in text
    assert "origin" not in text
    assert "datagrams lost of 1000" in text
    assert "outcome: FAIL" in text
    assert lines[-1].strip() == COMMAND
    assert "\x1b" not in text
    assert all(len(line) <= MAIL_COLUMNS for line in lines if line.startswith("  kernels"))


def test_cover_has_the_kernels_of_both_sides_where_they_are_two() -> None:
    base = {"xen": "4.17.7", "kernels": "dom0 6.1 6a2b4ac77585", "side": "base"}
    same, other = ({**base, "side": "patched", **kernels} for kernels in ({}, {"kernels": "b"}))
    broken = {"topology": "pair", "side": "patched"}

    assert join_environments([base, same]) == base
    joined = join_environments([broken, base, same, other])
    lines = list(render_cover(view(lossy(0), lossy(8)), joined, ["a"], COMMAND))
    assert lines[1:4] == [
        "  xen: 4.17.7", "  base kernels: dom0 6.1 6a2b4ac77585", "  patched kernels: b"
    ]  # fmt: skip
    assert join_environments([broken]) == broken
    assert join_environments([]) == {}


def test_cover_of_a_walk_says_what_each_patch_came_to() -> None:
    whole = walk(PASS, FAIL, PASS)
    lines = list(render_cover(whole.whole, {}, ["a", "b", "c"], COMMAND, whole.outcomes))

    assert "  patch 2: b: FAIL" in lines
    assert "  patch 3: c: PASS" in lines
    assert "  outcome: FAIL" in lines
    assert tell_walk(whole, tuple(lines)).lines == tuple(lines)


def test_side_is_the_same_after_it_was_kept() -> None:
    verdicts = tuple(
        replace(each, test="test_smoke.py::test_all", alarm=True) for each in lossy(3).verdicts
    )
    run = SuiteRun(name="base: smoke", environment={"xen": "4.17"}, verdicts=verdicts)
    document, faults = render_side(run, [fault(), fault("dom0")])

    assert parse_side(document.encode(), faults.encode()) == (run, (fault(), fault("dom0")))


@pytest.mark.parametrize("faults", ["{}", "{", '{"node": 1}'])
def test_side_that_is_damaged_is_refused(faults: str) -> None:
    run = SuiteRun(name="base", environment={}, verdicts=())
    document, _none = render_side(run, [])

    with pytest.raises(Malformed):
        parse_side(document.encode(), faults.encode())
    with pytest.raises(Malformed):
        parse_side(document.replace('"schema_version": 1', '"schema_version": 9').encode(), b"")
    with pytest.raises(Malformed):
        parse_side(b"{", b"")


def walk(*outcomes: Outcome) -> SeriesWalk:
    steps = tuple(
        Step(title=f"patch {number}", comparison=compare(PASS, outcome))
        for number, outcome in enumerate(outcomes, start=1)
    )
    return SeriesWalk(steps=steps, whole=ComparisonView(comparison=compare(PASS, outcomes[-1])))


def test_series_that_fails_on_its_way_fails_though_its_end_is_good() -> None:
    told = tell_walk(walk(PASS, FAIL, PASS))

    assert told.outcome is FAIL
    assert told.document["outcome"] is FAIL
    assert [line for line in told.lines if line.startswith("FAIL")] == [
        "FAIL         2/3 patch 2",
        "FAIL: patch 2 (FAIL)",
    ]
    assert "the whole series beside its base: PASS: nothing changed" in told.lines
    assert list(told.verdicts) == ["1: patch 1", "2: patch 2", "3: patch 3"]


def found(last: Outcome, *titles: str) -> Found:
    return Found(bisection=Bisection(good=0, bad=4), titles=titles, last=compare(PASS, last))


def test_one_suspect_is_the_first_bad_commit() -> None:
    told = tell_bisection(found(FAIL, "0123 (net: x)"))

    assert told.outcome is FAIL
    assert told.lines[-1] == "the first bad commit: 0123 (net: x)"


def test_several_suspects_are_no_answer() -> None:
    told = tell_bisection(found(FAIL, "one", "two"))

    assert told.outcome is Outcome.INCONCLUSIVE
    assert told.lines[-2:] == ("    one", "    two")


def test_range_in_which_nothing_fails_is_told() -> None:
    told = tell_bisection(found(PASS))

    assert told.outcome is PASS
    assert "nothing of this range fails" in told.lines[-1]


def test_commits_that_were_not_tried_leave_it_open_whether_one_of_them_fails() -> None:
    told = tell_bisection(replace(found(PASS), left_out=2))

    assert told.outcome is Outcome.INCONCLUSIVE
    assert (
        "no change of a driver fails; 2 commits of this range change other files" in told.lines[-1]
    )
    assert told.document["left_out"] == 2


def test_range_whose_end_came_to_no_verdict_is_not_said_to_be_good() -> None:
    told = tell_bisection(found(Outcome.LAB_ERROR))

    assert told.outcome is Outcome.LAB_ERROR
    assert told.lines[-1] == "LAB_ERROR: it cannot be told whether anything of this range fails"


def test_comparison_may_be_told_in_other_words() -> None:
    assert tell_comparison(view(lossy(0), lossy(0)), ("cover",)).lines == ("cover",)
