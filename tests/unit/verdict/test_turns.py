"""Whose fault it is what kernels report while the drivers of both sides take turns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from xenlab.measure.contest import BASE, PATCHED
from xenlab.verdict.console_fault import ConsoleFault
from xenlab.verdict.fault_table import Category
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.turns import IN_TURNS, SHORTEST_STALL_MS, TurnFault, judge_turns

CRASH, FAIL = Outcome.CRASH, Outcome.FAIL


def found(
    side: str,
    category: Category = Category.OOPS,
    outcome: Outcome = CRASH,
    delay_ms: int | None = 0,
) -> TurnFault:
    fault = ConsoleFault(
        node="dom0", category=category, outcome=outcome, headline="it says so", stamp="1.0",
        fingerprint=("xenvif_poll",), excerpt=(),
    )  # fmt: skip
    return TurnFault(side=side, fault=fault, host_delay_ms=delay_ms)


@pytest.mark.parametrize("base_turns", [0, 2])
def test_crash_of_the_patched_sides_turn_is_one_with_the_bases_turns_as_control(
    base_turns: int,
) -> None:
    told = judge_turns("both", [found(PATCHED)], base_turns)

    assert told is not None
    assert (told.rule, told.outcome, told.node) == (IN_TURNS, CRASH, "dom0")
    assert "while the drivers of the patched side were loaded" in told.reasons[0]
    assert (str(base_turns) in told.control) is bool(base_turns)


def test_crash_has_its_lines_of_source_behind_it() -> None:
    told = judge_turns("both", [replace(found(PATCHED), places=("xenvif_poll at a.c:7",))], 1)

    assert told is not None
    assert told.reasons[1:] == ("xenvif_poll at a.c:7",)


def test_fault_of_the_bases_turn_says_nothing_of_the_patch() -> None:
    assert judge_turns("both", [found(BASE)], 3) is None
    assert judge_turns("both", [found(BASE, Category.WARNING, FAIL)], 3) is None
    assert judge_turns("both", [], 3) is None


def test_warning_that_both_show_says_nothing_of_the_patch() -> None:
    both = [found(side, Category.WARNING, FAIL) for side in (PATCHED, BASE)]

    assert judge_turns("both", both, 3) is None
    told = judge_turns("both", both[:1], 3)
    assert told is not None
    assert (told.outcome, told.node) == (FAIL, "")


def test_warning_before_any_turn_of_the_base_has_no_control() -> None:
    told = judge_turns("both", [found(PATCHED, Category.WARNING, FAIL)], 0)

    assert told is not None
    assert told.outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("delay_ms", "accused"),
    [(None, False), (SHORTEST_STALL_MS, False), (SHORTEST_STALL_MS - 1, True)],
)
def test_stall_is_the_patched_sides_only_where_the_host_did_not_stand_still(
    delay_ms: int | None, accused: bool
) -> None:
    told = judge_turns("both", [found(PATCHED, Category.RCU_STALL, CRASH, delay_ms)], 1)

    assert (told is not None) is accused
    assert judge_turns("both", [found(PATCHED, delay_ms=delay_ms)], 1) is not None


def test_fault_of_the_emulator_is_nobodys() -> None:
    assert judge_turns("both", [found(PATCHED, Category.EMULATOR, Outcome.LAB_ERROR)], 1) is None
