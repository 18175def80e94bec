"""StrategyTrial: one remedy in timed repetitions and in a counted one, and what it must come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from xenlab.measure.hops import Drop
from xenlab.measure.strategy import StrategyRow, StrategyTable

MICRO = 1_000_000


class Effect(StrEnum):
    """What becomes of packets of more than 18 slots under a strategy."""

    LINEARISED = "linearised"
    FRAG_LIST = "frag_list at 19 slots, linearised above"
    FRAG_LISTS = "frag_list from 19 slots on, never linearised"
    RELOCATED = "copied to other pages, never linearised"
    RELOCATED_LEAST = "copied to other pages as far as it has to be, never linearised"
    AVOIDED = "never made"


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """A named cell of the table."""

    name: str
    setting: str
    effect: Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyRound:
    """One timed repetition, no probe being set."""

    payload_bytes: int
    elapsed_us: int
    cpu_ns: int

    @property
    def goodput_bps(self) -> float:
        """Payload at the receiver."""
        return 8 * self.payload_bytes * MICRO / self.elapsed_us if self.elapsed_us else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyCounts:
    """The repetition with probes; `silent_pkts` were lost between two devices without a counter.

    `relocated_pkts` and what was copied of them are counted by the frontends that do that.
    `overruns` are those drops for which the sink's vif had no room; `unrest` is what did not come
    back; best nothing.
    """

    sent_pkts: int
    linearised_pkts: int
    unlinearised_pkts: int
    relocated_pkts: int
    relocated_bytes: int
    frag_list_pkts: int
    drops: tuple[Drop, ...]
    silent_pkts: int
    overruns: tuple[Drop, ...] = ()
    unrest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyTrial:
    """One strategy as it was tried; `drivers` are those of both ends, in words."""

    strategy: Strategy
    rounds: tuple[StrategyRound, ...]
    counts: StrategyCounts
    drivers: str = ""

    @property
    def row(self) -> StrategyRow:
        """Its row in the table."""
        counts = self.counts
        return StrategyRow(
            name=self.strategy.name,
            setting=self.strategy.setting,
            goodput_bps=median(each.goodput_bps for each in self.rounds),
            payload_bytes=sum(each.payload_bytes for each in self.rounds),
            cpu_ns=sum(each.cpu_ns for each in self.rounds),
            sent_pkts=counts.sent_pkts,
            linearised_pkts=counts.linearised_pkts,
            relocated_pkts=counts.relocated_pkts,
            relocated_bytes=counts.relocated_bytes,
            frag_list_pkts=counts.frag_list_pkts,
            drops_pkts=sum(drop.packets for drop in counts.drops) + counts.silent_pkts,
        )


def tabulate(subject: str, trials: Sequence[StrategyTrial]) -> StrategyTable:
    """The table; the first trial is the default. The subject says what noise alone has done."""
    alike = [t.row.goodput_bps for t in trials if t.strategy.effect is trials[0].strategy.effect]
    if len(alike) > 1 and min(alike):
        percent = round(100 * (max(alike) / min(alike) - 1))
        subject = f"{subject}; strategies that do the same differ by {percent} %"
    return StrategyTable(subject=subject, rows=tuple(trial.row for trial in trials))
