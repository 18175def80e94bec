"""A comparison for people: one table of base and patched, and what changed below it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xenlab.measure.contest import Contest
from xenlab.measure.strategy import StrategyRow
from xenlab.report.columns import render_columns
from xenlab.report.rows import printable
from xenlab.report.wording import say_count
from xenlab.verdict.comparison import Change, Comparison, Turn
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.penalty_sums import sum_penalties
from xenlab.verdict.side import Side

HEAD = ("", "BASE", "PATCHED", "")
NOTHING = "-"
MEGA = 1e6
CHANGES_MAX = 40
COUNTED_TURNS = (Turn.WORSE, Turn.BETTER, Turn.UNTOLD, Turn.NEW, Turn.GONE)
# What one side has not judged would be all the rest of a suite that ended early.
SHOWN_TURNS = COUNTED_TURNS[:-1]
# How a turn reads behind its number.
WORDS = {
    Turn.UNTOLD: "cannot be told",
    Turn.NEW: "on the patched side alone",
    Turn.GONE: "not reached by the patched side",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonView:
    """`uncompared` says why there is no contest, where there is none."""

    comparison: Comparison
    contests: tuple[Contest, ...] = ()
    uncompared: str = ""

    def render(self) -> Iterator[str]:
        """The table, then every verdict that changed with its reasons, then the outcome."""
        yield from self.render_table()
        yield from self.render_changes()
        if self.uncompared:
            yield f"throughput not compared: {self.uncompared}"
        yield self.summary()

    def render_table(self) -> Iterator[str]:
        """Base beside patched, a line for each number."""
        yield from render_columns(HEAD, self.rows())

    def rows(self) -> Iterator[tuple[str, str, str, str]]:
        """Name, base, patched, and what of the difference is worth a word."""
        base, patched = self.comparison.base, self.comparison.patched
        yield ("verdicts", _count(base), _count(patched), _turns(self.comparison))
        for before, after in zip(
            sum_penalties(base.verdicts), sum_penalties(patched.verdicts), strict=True
        ):
            if before.among or after.among:
                shown = (_say(before.per_thousand), _say(after.per_thousand))
                yield (f"{before.kind.name} of 1000", *shown, _differ(*shown))
        for contest in self.contests:
            yield from _contest_rows(contest)
        yield (
            "crashes and faults",
            str(len(base.faults)),
            str(len(patched.faults)),
            self._faults(),
        )

    def summary(self) -> str:
        """The outcome, what decided it, and what decides nothing and is not to be overlooked."""
        new = len(self.comparison.new_faults)
        faults = f"{say_count(new, 'new fault')} on consoles" if new else ""
        paces = [said for contest in self.contests for said in contest.differences]
        turns = _turns(self.comparison) or ("no verdict changed" if paces and not faults else "")
        said = ", ".join(filter(None, (turns, faults, *paces))) or "nothing changed"
        return f"{self.comparison.outcome}: {said}"

    def _faults(self) -> str:
        new, gone = self.comparison.new_faults, self.comparison.gone_faults
        said = [f"new: {printable(str(each))}" for each in new]
        said += [f"gone: {printable(str(each))}" for each in gone]
        return "; ".join(said)

    def render_changes(self) -> Iterator[str]:
        """Every verdict that changed, the worst first, with its reasons; then what fails anyway."""
        changed = [each for each in self.comparison.changes if each.turn in SHOWN_TURNS]
        both_bad = [
            each for each in self.comparison.changes
            if each.turn is Turn.SAME and each.patched and each.patched.outcome is not Outcome.PASS
        ]  # fmt: skip
        shown = sorted(changed, key=lambda each: SHOWN_TURNS.index(each.turn)) + both_bad
        for change in shown[:CHANGES_MAX]:
            yield from render_change(change)
        if len(shown) > CHANGES_MAX:
            yield f"[... {len(shown) - CHANGES_MAX} more in the report]"


def render_change(change: Change) -> Iterator[str]:
    """A line of what became of it, and a line for each reason of it."""
    verdict = change.verdict
    before, after = (str(each.outcome) if each else "-" for each in (change.base, change.patched))
    what = printable(f"{verdict.subject}: {verdict.rule}")
    yield f"{change.turn:<7} {what}: {before} -> {after}"
    reasons = change.base.reasons if change.turn is Turn.BETTER and change.base else verdict.reasons
    yield from (f"    {printable(reason)}" for reason in reasons)


def _contest_rows(contest: Contest) -> Iterator[tuple[str, str, str, str]]:
    base, patched = contest.table.rows
    yield (
        f"goodput, Mbit/s ({contest.subject})", f"{base.goodput_bps / MEGA:.4g}",
        f"{patched.goodput_bps / MEGA:.4g}", contest.goodput_said,
    )  # fmt: skip
    yield (
        "CPU, ns a byte", _say(base.cpu_ns_per_byte), _say(patched.cpu_ns_per_byte),
        contest.cpu_said,
    )  # fmt: skip
    for name in ("linearised", "frag_list", "lost"):
        counted = (_per_thousand(base, name), _per_thousand(patched, name))
        shown = (_say(counted[0]), _say(counted[1]))
        yield (f"of these, {name} of 1000", *shown, _alone(*counted))


def _per_thousand(row: StrategyRow, name: str) -> float | None:
    if name == "lost":
        return 1000 * row.drops_pkts / row.sent_pkts if row.sent_pkts else None
    return row.linearised_per_thousand if name == "linearised" else row.frag_list_per_thousand


def _turns(comparison: Comparison) -> str:
    counted = ((turn, comparison.count(turn)) for turn in COUNTED_TURNS)
    return ", ".join(f"{count} {WORDS.get(turn, turn)}" for turn, count in counted if count)


def _count(side: Side) -> str:
    outcomes = [verdict.outcome for verdict in side.by_key.values()]
    counted = ((outcome, outcomes.count(outcome)) for outcome in Outcome)
    return ", ".join(f"{count} {outcome}" for outcome, count in counted if count) or NOTHING


def _say(number: float | None) -> str:
    return NOTHING if number is None else f"{number:.3g}"


def _alone(base: float | None, patched: float | None) -> str:
    """Of one repetition, whose packets come as they come: only what one side has not at all."""
    if bool(base) == bool(patched):
        return ""
    return f"on the {'base' if base else 'patched side'} alone"


def _differ(before: str, after: str) -> str:
    """Nothing where one side counted nothing: that is no difference between the two."""
    return "" if before == after or NOTHING in {before, after} else "differs"
