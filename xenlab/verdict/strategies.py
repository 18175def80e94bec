"""The rule of strategies: each does to packets of many slots what it is there for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from xenlab.measure.strategy import StrategyTable
from xenlab.measure.strategy_trial import (
    Effect,
    Strategy,
    StrategyCounts,
    StrategyTrial,
    tabulate,
)
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

TAKES_EFFECT = "strategy takes effect"
LINEARISING = frozenset({Effect.LINEARISED, Effect.FRAG_LIST})
LISTING = frozenset({Effect.FRAG_LIST, Effect.FRAG_LISTS})
RELOCATING = frozenset({Effect.RELOCATED, Effect.RELOCATED_LEAST})
HAD_MANY = "had more than 18 slots"


def judge_strategies(subject: str, trials: Sequence[StrategyTrial]) -> tuple[Verdict, ...]:
    """One verdict for each trial; the first, the default, is the control of all others.

    To move least is to move less than the trial that copies all frags, the control of that.
    How fast a strategy is has no limit: that is for the table. INCONCLUSIVE where the default had
    no packet of more than 18 slots, or brought no payload: then nothing could be remedied.
    """
    table = tabulate(subject, trials)
    return tuple(
        replace(_judge(table, trial, trials), subject=f"{subject}: {trial.strategy.name}")
        for trial in trials
    )


def _judge(table: StrategyTable, trial: StrategyTrial, trials: Sequence[StrategyTrial]) -> Verdict:
    default, copying = trials[0], _find_copying(trial, trials)
    doubts = (*_doubts(default), *_doubts_of_least(trial, copying))
    reasons = (*_wrong(trial), *_not_least(trial, copying))
    if trial is not default and trial.strategy.effect in LINEARISING:
        reasons += tuple(_never_linearised(trial.counts))
    outcome = Outcome.FAIL if reasons else Outcome.PASS
    if doubts and not reasons:
        outcome, reasons = Outcome.INCONCLUSIVE, doubts
    row, counts = trial.row, trial.counts
    ratio = table.throughput_ratio(row)
    return Verdict(
        rule=TAKES_EFFECT,
        subject=trial.strategy.name,
        outcome=outcome,
        reasons=reasons,
        numbers={
            "goodput_percent_of_default": round(100 * ratio) if ratio is not None else 0,
            "goodput_kbit_a_second": round(row.goodput_bps / 1000),
            "cpu_ps_a_byte": round(1000 * (row.cpu_ns_per_byte or 0)),
            "packets": counts.sent_pkts,
            "linearised": counts.linearised_pkts,
            "relocated": counts.relocated_pkts,
            "relocated_bytes": counts.relocated_bytes,
            "frag_list": counts.frag_list_pkts,
            "lost": row.drops_pkts,
            "rounds": len(trial.rounds),
        },
        control="; ".join(_controls(trial, default, copying)),
    )


def judge_set_aside(subject: str, strategy: Strategy, why: str) -> Verdict:
    """SKIP: a strategy that says nothing of the drivers under test, and why."""
    return Verdict(
        rule=TAKES_EFFECT,
        subject=f"{subject}: {strategy.name}",
        outcome=Outcome.SKIP,
        reasons=(why,),
    )


def _controls(
    trial: StrategyTrial, default: StrategyTrial, copying: StrategyTrial | None
) -> Iterator[str]:
    many, became = _find_many(default)
    yield f"default: {many} of {default.counts.sent_pkts} packets {HAD_MANY} and {became}"
    if copying is not None:
        yield f"{copying.strategy.name}: {_moved(copying):.0f} bytes of each such packet"
    if trial.drivers:
        yield f"loaded: {trial.drivers}"


def _find_many(default: StrategyTrial) -> tuple[int, str]:
    """How many packets of the default had more than 18 slots, and what became of them."""
    counts, effect = default.counts, default.strategy.effect
    if effect in RELOCATING:
        return counts.relocated_pkts, "were copied to other pages"
    if effect is Effect.FRAG_LISTS:
        return counts.frag_list_pkts, "came to dom0 with a frag_list"
    return counts.linearised_pkts, "were linearised"


def _find_copying(trial: StrategyTrial, trials: Sequence[StrategyTrial]) -> StrategyTrial | None:
    """The control of one that moves least, if it is one and there is any."""
    if trial.strategy.effect is not Effect.RELOCATED_LEAST:
        return None
    copying = (each for each in trials if each.strategy.effect is Effect.RELOCATED)
    return next((each for each in copying if each.counts.relocated_pkts), None)


def _moved(trial: StrategyTrial) -> float:
    return trial.row.bytes_a_relocated_packet or 0.0


def _doubts_of_least(trial: StrategyTrial, copying: StrategyTrial | None) -> Iterator[str]:
    if trial.strategy.effect is Effect.RELOCATED_LEAST and copying is None:
        yield "nothing copied all frags of any packet: there is no more to be less than"


def _not_least(trial: StrategyTrial, copying: StrategyTrial | None) -> Iterator[str]:
    if copying is not None and trial.counts.relocated_pkts and _moved(trial) >= _moved(copying):
        yield (
            f"{_moved(trial):.0f} bytes of each packet were moved,"
            f" and {_moved(copying):.0f} where all frags were copied"
        )


def _never_linearised(counts: StrategyCounts) -> Iterator[str]:
    if not counts.linearised_pkts:
        yield f"none of {counts.sent_pkts} packets was linearised"


def _doubts(default: StrategyTrial) -> Iterator[str]:
    if not _find_many(default)[0]:
        yield (
            f"none of {default.counts.sent_pkts} packets of the default {HAD_MANY}:"
            " there was nothing to remedy"
        )
    if not default.row.goodput_bps:
        yield "the default brought no payload in time that can be told"


def _wrong(trial: StrategyTrial) -> Iterator[str]:
    yield from _without_effect(trial.strategy.effect, trial.counts)
    counts = trial.counts
    if counts.unlinearised_pkts:
        yield f"{counts.unlinearised_pkts} packets found no memory to be linearised into"
    yield from (f"loss at {drop}" for drop in counts.drops if drop not in counts.overruns)
    if counts.unrest:
        yield f"never came to rest: {counts.unrest}"
    if counts.silent_pkts:
        yield f"{counts.silent_pkts} packets were lost and no counter tells of them"
    if any(not each.payload_bytes for each in trial.rounds):
        yield "a repetition brought no payload"


def _without_effect(effect: Effect, counts: StrategyCounts) -> Iterator[str]:
    if effect not in LINEARISING and counts.linearised_pkts:
        yield f"{counts.linearised_pkts} of {counts.sent_pkts} packets were linearised all the same"
    if effect in LISTING and not counts.frag_list_pkts:
        yield f"none of {counts.sent_pkts} packets came to dom0 with a frag_list"
    if effect not in LISTING and counts.frag_list_pkts:
        yield f"{counts.frag_list_pkts} packets came to dom0 with a frag_list"
    if effect not in RELOCATING and counts.relocated_pkts:
        yield f"{counts.relocated_pkts} packets were copied to other pages"
    if effect in RELOCATING and not counts.relocated_pkts:
        yield f"none of {counts.sent_pkts} packets was copied to other pages"
