"""Figures: what is measured, what it must be (floor) and what it should be (aim)."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """How a median stands to its floor and its aim."""

    AIM = "aim reached"
    FLOOR = "floor held"
    MISSED = "floor missed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table: smaller is better, but for a rate, of which more is better."""

    name: str
    what: str
    unit: str
    floor: float
    aim: float
    is_rate: bool = False

    def reaches(self, mark: float, value: float) -> bool:
        """Whether a value is as good as a mark (floor or aim), or better."""
        return value >= mark if self.is_rate else value <= mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A part of the time that a figure measures, as xenlab reports it."""

    name: str
    elapsed_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The samples of one figure, and where the time of the median run went.

    `virtme_ng` is what virtme-ng took for the same, where it can do the same; then for what else.
    """

    figure: Figure
    samples: tuple[float, ...]
    phases: tuple[Phase, ...] = ()
    virtme_ng: tuple[Phase, ...] = ()

    @property
    def median(self) -> float:
        """The middle sample."""
        return statistics.median(self.samples)

    @property
    def standing(self) -> Standing:
        """Whether the median reaches the aim, holds the floor, or misses it."""
        if self.figure.reaches(self.figure.aim, self.median):
            return Standing.AIM
        floor_held = self.figure.reaches(self.figure.floor, self.median)
        return Standing.FLOOR if floor_held else Standing.MISSED

    @property
    def costs(self) -> str:
        """The three longest phases, longest first: what stands between the median and the aim."""
        longest = sorted(self.phases, key=lambda phase: phase.elapsed_s, reverse=True)[:3]
        return ", ".join(f"{phase.name} {phase.elapsed_s:.1f} s" for phase in longest)


COLD = Figure(name="cold", what="up pair, cold", unit="s", floor=35, aim=15)
CONNECTED = Figure(
    name="connected", what="up pair, from the connected checkpoint", unit="s", floor=4, aim=1.5
)
BARE = Figure(name="bare", what="up pair, from the bare checkpoint", unit="s", floor=12, aim=5)
COLD_RATIO = Figure(
    name="cold-ratio", what="up pair, cold, to the bare floor", unit="x", floor=1.25, aim=1.1
)
FURTHER_DOMU = Figure(name="further-domu", what="each further domU, cold", unit="s", floor=8, aim=3)
IMAGES = Figure(
    name="images", what="images from the package cache alone", unit="s", floor=120, aim=40
)
STATUS = Figure(name="status", what="xenlab status", unit="s", floor=0.4, aim=0.15)
HELP = Figure(name="help", what="xenlab --help", unit="s", floor=0.4, aim=0.15)
CHECKPOINT = Figure(
    name="checkpoint", what="connected checkpoint of pair", unit="MB", floor=400, aim=150
)
LAYOUTS = Figure(
    name="layouts",
    what="layouts that the slot model predicts, in arrays",
    unit="/s",
    floor=200_000,
    aim=1_000_000,
    is_rate=True,
)
LAYOUTS_READ = Figure(
    name="layouts-read",
    what="the same, from layouts one by one, no two alike",
    unit="/s",
    floor=200_000,
    aim=1_000_000,
    is_rate=True,
)
SENT = Figure(
    name="sent",
    what="layouts of a frame's size composed, sent, received, verified",
    unit="/s",
    floor=3_000,
    aim=15_000,
    is_rate=True,
)
SENT_SHARE = Figure(
    name="sent-share",
    what="the same to pktgen's packets through the same vif",
    unit="%",
    floor=10,
    aim=50,
    is_rate=True,
)
SLOTS = Figure(
    name="slots", what="test slots, from the connected checkpoint", unit="s", floor=60, aim=15
)
SUITES = Figure(
    name="suites",
    what="test smoke slots compound gso fraglist rx",
    unit="s",
    floor=12 * 60,
    aim=4 * 60,
)
TRY_QUICK = Figure(
    name="try-quick", what="try a patch --quick, its checkpoints there", unit="s", floor=45, aim=15
)
TRY = Figure(
    name="try", what="try a patch, all suites, base and patched", unit="s", floor=20 * 60,
    aim=6 * 60,
)  # fmt: skip
MODULE = Figure(name="module", what="build a driver with a patch", unit="s", floor=6, aim=3)
KERNEL = Figure(
    name="kernel", what="build the small kernel, nothing there", unit="s", floor=12 * 60, aim=8 * 60
)
KERNEL_AGAIN = Figure(
    name="kernel-again", what="the same with one file changed", unit="s", floor=2 * 60, aim=40
)
MUTANT = Figure(name="mutant", what="a mutant, mean over the set", unit="s", floor=60, aim=15)
IOMMU_CELL = Figure(
    name="iommu-cell", what="test iommu --quick of one cell, from its checkpoint", unit="s",
    floor=60, aim=20,
)  # fmt: skip
IOMMU = Figure(name="iommu", what="test iommu, every cell", unit="s", floor=40 * 60, aim=12 * 60)

FIGURES = (
    COLD, CONNECTED, BARE, COLD_RATIO, FURTHER_DOMU, IMAGES, STATUS, HELP, CHECKPOINT, LAYOUTS,
    LAYOUTS_READ, SENT, SENT_SHARE, SLOTS, SUITES, TRY_QUICK, TRY, MODULE, KERNEL, KERNEL_AGAIN,
    MUTANT, IOMMU_CELL, IOMMU,
)  # fmt: skip


def choose_figures(names: Sequence[str]) -> frozenset[Figure]:
    """The figures of these names, and those they are made of; all of them where none is named."""
    chosen = frozenset(figure for figure in FIGURES if figure.name in names or not names)
    return chosen | {COLD} if COLD_RATIO in chosen else chosen
