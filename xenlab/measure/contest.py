"""Contest: the same load on both sides of a comparison, in turns: both meet the same host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xenlab.measure.interval import Interval, median_interval
from xenlab.measure.strategy import StrategyRow, StrategyTable
from xenlab.measure.strategy_trial import (
    Effect,
    Strategy,
    StrategyCounts,
    StrategyRound,
    StrategyTrial,
)

NO_DIFFERENCE = "no difference seen"
BASE, PATCHED = "base", "patched"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bout:
    """Two repetitions next to each other in time, one of each side."""

    base: StrategyRound
    patched: StrategyRound


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """All bouts over one link, and one more repetition of each side with probes set."""

    subject: str
    bouts: tuple[Bout, ...]
    base: StrategyCounts
    patched: StrategyCounts

    @property
    def goodput(self) -> Interval | None:
        """The patched side's as a multiple of the base's; None where that cannot be told."""
        return _interval([(each.base.goodput_bps, each.patched.goodput_bps) for each in self.bouts])

    @property
    def cpu(self) -> Interval | None:
        """The same for CPU time a byte."""
        return _interval([(_cost(each.base), _cost(each.patched)) for each in self.bouts])

    @property
    def goodput_said(self) -> str:
        """The ratio of goodput, and in a word what it means."""
        return say_ratio(self.goodput, below="slower", above="faster")

    @property
    def cpu_said(self) -> str:
        """The same of CPU time a byte."""
        return say_ratio(self.cpu, below="cheaper", above="dearer")

    @property
    def differences(self) -> tuple[str, ...]:
        """What of both was seen to differ, in short."""
        both = {"goodput": self.goodput, "CPU a byte": self.cpu}
        return tuple(
            f"{what} {ratio.median:.2f} of the {BASE}'s"
            for what, ratio in both.items()
            if ratio is not None and not ratio.holds(1.0)
        )

    @property
    def table(self) -> StrategyTable:
        """Both sides beside each other, and what can be said of their difference."""
        base = tuple(each.base for each in self.bouts)
        patched = tuple(each.patched for each in self.bouts)
        said = (
            f"{self.subject}, {len(self.bouts)} times in turns; patched to base:"
            f" goodput {self.goodput_said}, CPU a byte {self.cpu_said}"
        )
        rows = (_row(BASE, base, self.base), _row(PATCHED, patched, self.patched))
        return StrategyTable(subject=said, rows=rows)


def say_ratio(ratio: Interval | None, *, below: str, above: str) -> str:
    """Such as `0.97 (0.93 to 1.02): no difference seen`, or what it is called below or above 1."""
    if ratio is None:
        return "not told: too few repetitions, or one that brought nothing"
    said = f"{ratio.median:.2f} ({ratio.low:.2f} to {ratio.high:.2f})"
    if ratio.holds(1.0):
        return f"{said}: {NO_DIFFERENCE}"
    return f"{said}: {below if ratio.median < 1 else above}"


def _interval(pairs: Sequence[tuple[float, float]]) -> Interval | None:
    """Of the ratios within the pairs: what the host does to both of a pair is not in them."""
    if not all(base and patched for base, patched in pairs):
        return None
    return median_interval([patched / base for base, patched in pairs])


def _cost(taken: StrategyRound) -> float:
    return taken.cpu_ns / taken.payload_bytes if taken.payload_bytes else 0.0


def _row(name: str, rounds: tuple[StrategyRound, ...], counts: StrategyCounts) -> StrategyRow:
    strategy = Strategy(name=name, setting="", effect=Effect.LINEARISED)
    return StrategyTrial(strategy=strategy, rounds=rounds, counts=counts).row
