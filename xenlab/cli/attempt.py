"""`xenlab try` at work: the base and the patched side, their contest, and what comes of both."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import click

from xenlab.cli.sides import Sides
from xenlab.errors import LabError, MeasurementError
from xenlab.kernel.driver import Reach
from xenlab.kernel.patch_series import PatchSeries
from xenlab.lab import Lab
from xenlab.life.order import Undertaking
from xenlab.life.phases import Phases
from xenlab.measure.contest import BASE, PATCHED, Contest
from xenlab.report.comparison import ComparisonView
from xenlab.traffic.contest import hold_contest
from xenlab.traffic.ladder import Extent
from xenlab.verdict.comparison import Comparison, Side
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import verdict_of_error

SPOILED = frozenset({Outcome.FAIL, Outcome.CRASH, Outcome.LAB_ERROR})
IN_TURNS = "drivers take turns"
IN_NO_LAB = "whole kernels take no turns inside one lab"
IN_SHORT = "--quick is for verdicts"
FAILED = "the patched side fails, and what loses packets is not fast or slow"


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One series on one base."""

    sides: Sides
    series: PatchSeries
    _contests: list[Contest] = field(default_factory=list)
    _uncompared: str = ""

    @property
    def quick(self) -> bool:
        """Whether the first failure is enough, and nothing is timed."""
        return self.sides.order.extent is Extent.QUICK

    def require_way(self) -> None:
        """Say which way the series takes; InputError if it cannot come that way.

        Whether it applies to a whole kernel's source is seen when that is built, before a boot.
        """
        undertaking = self._undertake(self.series)
        click.echo(f"{self.series.name}: {Reach.of(self.series.files).why}", err=True)
        if not self.sides.whole:
            undertaking.require_applicable()

    def run(self) -> ComparisonView:
        """Both sides: the patched one first, for that is what somebody waits for."""
        if self.quick:
            self._uncompared = IN_SHORT
        elif self.sides.whole:
            self._uncompared = IN_NO_LAB
        patched = self.sides.run(
            PATCHED, self.series, stop_at_first=self.quick, afterwards=self._compete
        )
        broken = patched.verdicts and all(
            verdict.outcome is Outcome.LAB_ERROR for verdict in patched.verdicts
        )
        # A lab that broke says nothing of the patch, with whatever control.
        return self.view(Side(verdicts=()) if broken else self.sides.run_base(), patched)

    def view(self, base: Side, patched: Side) -> ComparisonView:
        """What both come to."""
        return ComparisonView(
            comparison=Comparison(base=base, patched=patched),
            contests=tuple(self._contests),
            uncompared=self._uncompared,
        )

    def _compete(self, lab: Lab) -> None:
        """In the lab of the patched side, once its suites are over."""
        if self._uncompared:
            return
        verdicts = self.sides.results.runs[-1].verdicts
        if {verdict.outcome for verdict in verdicts} & SPOILED:
            self._uncompared = FAILED
            return
        started_s = time.monotonic()
        try:
            base = self._undertake(None).build_drivers()
            patched = self._undertake(self.series).build_drivers()
            contest = hold_contest(lab, base, patched)
        except (LabError, MeasurementError) as error:
            self._uncompared = str(error)
            told = verdict_of_error(IN_TURNS, f"{BASE} and {PATCHED}", error)
            if isinstance(error, LabError) and told is not None:
                self.sides.results.note((*verdicts, told))
            return
        self._contests.append(contest)
        self.sides.results.show(contest.table)
        click.echo(f"{BASE} and {PATCHED} in turns: {time.monotonic() - started_s:.1f} s", err=True)

    def _undertake(self, series: PatchSeries | None) -> Undertaking:
        return Undertaking(
            order=self.sides.order_lab(series), phases=Phases(watcher=self.sides.progress)
        )
