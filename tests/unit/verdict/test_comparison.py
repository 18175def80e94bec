"""What a patched side beside its base comes to; each way to be wrong is seen to be told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from xenlab.verdict.comparison import (
    EITHER_WAY,
    NEW_FAULTS,
    NOT_JUDGED,
    NOT_REACHED,
    Change,
    Comparison,
    Turn,
)
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.side import FaultMark, Side
from xenlab.verdict.verdict import Verdict

PASS, FAIL, CRASH = Outcome.PASS, Outcome.FAIL, Outcome.CRASH
LAB_ERROR, INCONCLUSIVE, SKIP = Outcome.LAB_ERROR, Outcome.INCONCLUSIVE, Outcome.SKIP


def verdict(outcome: Outcome, subject: str = "alice -> bob", rule: str = "no loss") -> Verdict:
    node = "alice" if outcome is CRASH else ""
    return Verdict(
        rule=rule, subject=subject, outcome=outcome, reasons=(f"it is {outcome}",), node=node
    )


def fault(node: str = "alice", outcome: Outcome = CRASH, frame: str = "xennet_poll") -> FaultMark:
    return FaultMark(
        node=node,
        category="oops",
        outcome=outcome,
        headline="BUG: at 0xffff88",
        fingerprint=(frame,),
    )


def compare(base: Side | Outcome, patched: Side | Outcome) -> Comparison:
    sides = (each if isinstance(each, Side) else Side(verdicts=(verdict(each),))
             for each in (base, patched))  # fmt: skip
    before, after = sides
    return Comparison(base=before, patched=after)


@pytest.mark.parametrize(
    ("base", "patched", "turn", "outcome"),
    [
        (PASS, PASS, Turn.SAME, PASS),
        (PASS, FAIL, Turn.WORSE, FAIL),
        (PASS, CRASH, Turn.WORSE, CRASH),
        (FAIL, CRASH, Turn.WORSE, CRASH),
        (FAIL, PASS, Turn.BETTER, PASS),
        (CRASH, PASS, Turn.BETTER, PASS),
        (FAIL, FAIL, Turn.SAME, INCONCLUSIVE),
        (CRASH, CRASH, Turn.SAME, INCONCLUSIVE),
        (CRASH, FAIL, Turn.BETTER, INCONCLUSIVE),
        (PASS, INCONCLUSIVE, Turn.UNTOLD, INCONCLUSIVE),
        (INCONCLUSIVE, PASS, Turn.UNTOLD, PASS),
        (INCONCLUSIVE, FAIL, Turn.UNTOLD, INCONCLUSIVE),
        (INCONCLUSIVE, CRASH, Turn.UNTOLD, CRASH),
        (PASS, LAB_ERROR, Turn.UNTOLD, LAB_ERROR),
        (LAB_ERROR, PASS, Turn.UNTOLD, LAB_ERROR),
        (LAB_ERROR, FAIL, Turn.UNTOLD, LAB_ERROR),
        (SKIP, SKIP, Turn.SAME, SKIP),
        (SKIP, FAIL, Turn.UNTOLD, FAIL),
        (PASS, SKIP, Turn.UNTOLD, INCONCLUSIVE),
        (FAIL, SKIP, Turn.UNTOLD, INCONCLUSIVE),
        (CRASH, SKIP, Turn.UNTOLD, INCONCLUSIVE),
        (INCONCLUSIVE, SKIP, Turn.UNTOLD, SKIP),
    ],
)
def test_verdict_on_the_patch_needs_a_base_that_passes(
    base: Outcome, patched: Outcome, turn: Turn, outcome: Outcome
) -> None:
    comparison = compare(base, patched)

    assert [change.turn for change in comparison.changes] == [turn]
    assert comparison.outcome is outcome


def test_failure_of_the_patch_has_its_reasons_and_the_base_as_its_control() -> None:
    (told,) = compare(PASS, FAIL).verdicts

    assert told.reasons == ("it is FAIL",)
    assert told.control.startswith("base: PASS")


def test_failure_on_both_sides_says_so() -> None:
    (told,) = compare(FAIL, FAIL).verdicts

    assert told.reasons == (EITHER_WAY, "it is FAIL")
    assert told.node == ""


def test_check_that_the_patched_side_skips_says_that_it_was_judged_without() -> None:
    base = Side(verdicts=(verdict(PASS), verdict(PASS, "bob -> alice")))
    patched = Side(verdicts=(verdict(PASS), verdict(SKIP, "bob -> alice")))
    comparison = compare(base, patched)

    assert comparison.outcome is INCONCLUSIVE
    assert comparison.verdicts[1].reasons == (NOT_JUDGED, "it is SKIP")


def test_doubt_of_the_base_is_told() -> None:
    (told,) = compare(INCONCLUSIVE, FAIL).verdicts

    assert told.reasons == ("the base: INCONCLUSIVE it is INCONCLUSIVE", "it is FAIL")


def test_verdict_that_the_patched_side_never_came_to_is_no_pass() -> None:
    base = Side(verdicts=(verdict(PASS), verdict(PASS, "bob -> alice")))
    comparison = compare(base, PASS)

    assert comparison.outcome is INCONCLUSIVE
    assert comparison.verdicts[1].reasons == (NOT_REACHED,)
    assert comparison.count(Turn.GONE) == 1


def test_suite_that_ended_at_its_first_failure_is_a_failure() -> None:
    base = Side(verdicts=(verdict(PASS), verdict(PASS, "bob -> alice")))

    assert compare(base, FAIL).outcome is FAIL


def test_verdict_that_the_base_has_not_stands_for_itself() -> None:
    patched = Side(verdicts=(verdict(PASS), verdict(FAIL, "alice -> bob", "payload intact")))
    comparison = compare(PASS, patched)

    assert comparison.outcome is FAIL
    assert comparison.changes[1].turn is Turn.NEW
    assert "base: no verdict" in comparison.verdicts[1].control


def test_of_two_verdicts_on_the_same_the_worse_one_counts() -> None:
    twice = Side(verdicts=(verdict(PASS), verdict(FAIL), verdict(PASS)))

    assert compare(PASS, twice).outcome is FAIL
    assert len(compare(PASS, twice).changes) == 1


def test_no_verdict_on_either_side_is_no_pass() -> None:
    assert compare(Side(verdicts=()), Side(verdicts=())).outcome is INCONCLUSIVE


def test_crash_that_only_the_patched_side_showed_is_a_crash_with_its_fingerprint() -> None:
    patched = Side(verdicts=(verdict(PASS),), faults=(fault(), fault(), fault(frame="other")))
    comparison = compare(PASS, patched)

    assert comparison.outcome is CRASH
    (told,) = [each for each in comparison.verdicts if each.rule == NEW_FAULTS]
    assert told.node == "alice"
    assert len(told.reasons) == 2
    assert "oops in alice: BUG: at 0xffff88 [xennet_poll]" in told.reasons


def test_fault_that_the_base_showed_as_well_is_not_new() -> None:
    base = Side(verdicts=(verdict(PASS),), faults=(fault(outcome=FAIL),))
    comparison = compare(base, base)

    assert comparison.outcome is PASS
    assert compare(PASS, base).outcome is FAIL
    assert compare(base, PASS).gone_faults == base.faults


def test_lab_that_a_crash_of_the_patch_broke_is_a_crash() -> None:
    broken = Side(verdicts=(verdict(LAB_ERROR),), faults=(fault("dom0"),))

    assert compare(PASS, broken).outcome is CRASH
    assert compare(broken, broken).outcome is LAB_ERROR
    assert compare(PASS, LAB_ERROR).outcome is LAB_ERROR


def test_base_without_a_lab_is_no_control_of_what_the_patched_side_has_judged() -> None:
    no_lab = Side(verdicts=(replace(verdict(LAB_ERROR), rule="lab comes up"),))

    assert compare(no_lab, FAIL).outcome is LAB_ERROR
    assert compare(no_lab, PASS).outcome is LAB_ERROR


def test_change_of_nothing_is_none() -> None:
    change = Change(base=verdict(PASS), patched=verdict(PASS))

    assert change.verdict.outcome is PASS
    assert change.verdict.reasons == ("it is PASS",)
