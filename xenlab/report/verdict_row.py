"""VerdictRow: a verdict as a page shows it, with its numbers, its reasons and its control."""

from __future__ import annotations

from dataclasses import dataclass

from xenlab.report.wording import clean, group_digits, say_count
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

ROWS_SHOWN = 1500
REASONS_SHOWN = 12
# Told apart without colours.
SYMBOLS = {
    Outcome.PASS: "✓",
    Outcome.FAIL: "✗",
    Outcome.CRASH: "‼",
    Outcome.INCONCLUSIVE: "?",
    Outcome.LAB_ERROR: "⚠",
    Outcome.SKIP: "-",
}
# What asks for something to be done comes first.
URGENCY = (
    Outcome.CRASH, Outcome.FAIL, Outcome.LAB_ERROR, Outcome.INCONCLUSIVE, Outcome.SKIP,
    Outcome.PASS,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRow:
    """One verdict."""

    outcome: Outcome
    symbol: str
    label: str
    subject: str
    rule: str
    reasons: tuple[str, ...]
    numbers: tuple[tuple[str, str], ...]
    controls: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictTable:
    """Verdicts of one run, those first that are no pass; `left_out` says how many are not here."""

    rows: tuple[VerdictRow, ...]
    left_out: tuple[str, ...]


def build_verdict_table(verdicts: tuple[Verdict, ...], share: float) -> tuple[VerdictTable, ...]:
    """The table; none without verdicts."""
    if not verdicts:
        return ()
    ordered = sorted(verdicts, key=lambda verdict: URGENCY.index(verdict.outcome))
    shown = ordered[: max(1, int(ROWS_SHOWN * share))]
    more = ordered[len(shown) :]
    bad = sum(verdict.outcome is not Outcome.PASS for verdict in more)
    left_out = (
        f"{say_count(len(more), 'more verdict')} left out, {group_digits(bad)} of them no pass:"
        " results.json has all"
    )
    return (VerdictTable(rows=tuple(map(_row, shown)), left_out=(left_out,) if more else ()),)


def _row(verdict: Verdict) -> VerdictRow:
    more = len(verdict.reasons) - REASONS_SHOWN
    cut = (f"and {say_count(more, 'more reason')}",) if more > 0 else ()
    return VerdictRow(
        outcome=verdict.outcome,
        symbol=SYMBOLS[verdict.outcome],
        label=f"{verdict.outcome}({verdict.node})" if verdict.node else str(verdict.outcome),
        subject=verdict.subject,
        rule=verdict.rule,
        reasons=tuple(clean(reason) for reason in verdict.reasons[:REASONS_SHOWN]) + cut,
        numbers=tuple(
            (name.replace("_", " "), group_digits(number))
            for name, number in verdict.numbers.items()
        ),
        controls=(verdict.control,) if verdict.control else (),
    )
