"""A comparison for programs: the JSON document of `xenlab try` and `xenlab compare`."""

from __future__ import annotations

from collections.abc import Mapping

from xenlab.measure.contest import Contest
from xenlab.measure.interval import Interval
from xenlab.plan.codec import encode
from xenlab.report.comparison import ComparisonView
from xenlab.report.document import encode_verdicts
from xenlab.verdict.comparison import Change
from xenlab.verdict.penalty_sums import PenaltySum, sum_penalties


def encode_comparison(view: ComparisonView) -> Mapping[str, object]:
    """The outcome, every verdict with what became of it, penalties, contests and faults."""
    comparison = view.comparison
    sums = zip(
        sum_penalties(comparison.base.verdicts),
        sum_penalties(comparison.patched.verdicts),
        strict=True,
    )
    return {
        **encode_verdicts(comparison.verdicts),
        "changes": [_change(change) for change in comparison.changes],
        "penalties": [
            {"name": base.kind.name, "base": _sum(base), "patched": _sum(patched)}
            for base, patched in sums
        ],
        "contests": [_contest(contest) for contest in view.contests],
        "throughput_not_compared": view.uncompared or None,
        "faults": {
            "new": [encode(fault) for fault in comparison.new_faults],
            "gone": [encode(fault) for fault in comparison.gone_faults],
        },
    }


def _change(change: Change) -> dict[str, object]:
    shown = change.verdict
    return {
        "rule": shown.rule,
        "subject": shown.subject,
        "turn": change.turn,
        "base": change.base.outcome if change.base else None,
        "patched": change.patched.outcome if change.patched else None,
    }


def _sum(penalty: PenaltySum) -> dict[str, object]:
    return {
        "events": penalty.events,
        "among": penalty.among,
        "per_thousand": penalty.per_thousand,
    }


def _contest(contest: Contest) -> dict[str, object]:
    base, patched = contest.table.rows
    return {
        "subject": contest.subject,
        "bouts": [encode(bout) for bout in contest.bouts],
        "base": encode(base),
        "patched": encode(patched),
        "goodput_ratio": _interval(contest.goodput),
        "cpu_ratio": _interval(contest.cpu),
    }


def _interval(interval: Interval | None) -> dict[str, object] | None:
    if interval is None:
        return None
    return {**encode(interval), "difference_seen": not interval.holds(1.0)}
