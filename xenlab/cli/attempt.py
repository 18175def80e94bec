"""`xenlab try` at work: the base and the patched side, their contest, and what comes of both."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import click

from xenlab.cli.sides import Sides
from xenlab.errors import (
    DriverFailed,
    InputError,
    KernelFault,
    LabError,
    MeasurementError,
    XenlabError,
)
from xenlab.kernel.driver import Reach
from xenlab.kernel.patch_series import PatchSeries
from xenlab.lab import Lab
from xenlab.life.order import Undertaking
from xenlab.life.phases import Phases
from xenlab.life.whole_way import require_applicable
from xenlab.measure.contest import PATCHED, Contest
from xenlab.report.comparison import ComparisonView
from xenlab.traffic.contest import hold_contest
from xenlab.traffic.ladder import Extent
from xenlab.traffic.turn_watch import SUBJECT, watching_turns
from xenlab.verdict.comparison import Comparison
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.side import Side

SPOILED = frozenset({Outcome.FAIL, Outcome.CRASH, Outcome.LAB_ERROR})
IN_NO_LAB = "whole kernels take no turns inside one lab"
IN_SHORT = "--quick is for verdicts"
FAILED = "the patched side fails, and what loses packets is not fast or slow"


@contextlib.contextmanager
def advising(advice: str) -> Iterator[None]:
    """What else to say where a series does not apply."""
    try:
        yield
    except InputError as error:
        if not advice:
            raise
        raise InputError(*error.problems, try_next=advice) from error


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

    def require_way(self, advice: str = "") -> None:
        """Say which way the series takes; InputError, with this advice, where it does not apply.

        Of a series every patch is tried, in its order, before anything is built.
        """
        undertaking = self._undertake(self.series)
        click.echo(f"{self.series.name}: {Reach.of(self.series.files).why}", err=True)
        with advising(advice):
            if self.sides.whole:
                base = self.sides.order_lab(None)
                require_applicable(base, self.series, undertaking.phases)
            else:
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

    def _compete(self, lab: Lab, kept: Mapping[str, int]) -> None:
        """In the lab of the patched side, once its suites are over and its consoles kept.

        What consoles say from then on is no fault of one side by itself: it is judged here.
        """
        if self._uncompared:
            return
        verdicts = self.sides.results.runs[-1].verdicts
        if {verdict.outcome for verdict in verdicts} & SPOILED:
            self._uncompared = FAILED
            return
        started_s = time.monotonic()
        error: XenlabError | None = None
        contest: Contest | None = None
        with watching_turns(lab, kept) as watch:
            try:
                base = self._undertake(None).build_drivers()
                patched = self._undertake(self.series).build_drivers()
                contest = hold_contest(lab, base, patched, watch)
            except (LabError, MeasurementError, DriverFailed, KernelFault) as raised:
                error = raised
            account = watch.account(error)
        said = ((node, lab.console_bytes(node, start)) for node, start in kept.items())
        self.sides.results.keep_turns(said)
        if account.scene:
            self.sides.results.keep_scene(account.scene)
        for verdict in account.verdicts:
            self.sides.results.judge(verdict)
        self._uncompared = account.trouble
        if contest is None or account.trouble:
            return
        self._contests.append(contest)
        self.sides.results.show(contest.table)
        click.echo(f"{SUBJECT} in turns: {time.monotonic() - started_s:.1f} s", err=True)

    def _undertake(self, series: PatchSeries | None) -> Undertaking:
        return Undertaking(
            order=self.sides.order_lab(series), phases=Phases(watcher=self.sides.progress)
        )
