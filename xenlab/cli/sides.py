"""Sides: one run of the suites after the other, each in a lab of its own, to be compared."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click

from xenlab.cli.kept_base import MEASURED, KeptBase
from xenlab.cli.results import Results
from xenlab.cli.run_files import read_run
from xenlab.cli.suite_order import SHIPPED, SuiteOrder
from xenlab.cli.trial import Afterwards, Trial
from xenlab.kernel.driver import DriverKind
from xenlab.kernel.patch_series import PatchSeries
from xenlab.life.order import Undertaking, UpOrder
from xenlab.life.phases import Phases
from xenlab.life.whole_way import order_whole
from xenlab.measure.contest import BASE
from xenlab.registry.bases import digest_program, digest_words
from xenlab.report.progress import Progress
from xenlab.verdict.outcome import combine
from xenlab.verdict.side import FaultMark, Side


@dataclass(slots=True, kw_only=True)
class Sides:
    """Runs the suites of one order on the base and with series on it; all goes into one run.

    Where it is to be the `whole` way every side boots kernels that are built here. Else `drivers`
    are those that a series is on: no side has one of them of another source than the others.
    """

    order: SuiteOrder
    up: UpOrder
    results: Results
    progress: Progress
    whole: bool = False
    drivers: tuple[DriverKind, ...] = ()

    def run(
        self,
        name: str,
        series: PatchSeries | None,
        *,
        stop_at_first: bool = False,
        afterwards: Afterwards = lambda _lab, _kept: None,
    ) -> Side:
        """All that a lab comes to with a series on top of the base's drivers, or without one."""
        started_s, first = time.monotonic(), len(self.results.runs)
        trial = Trial(
            order=replace(self.order, stop_at_first=stop_at_first),
            results=self.results,
            side=name,
            afterwards=afterwards,
        )
        trial.run_in_own_lab(self.order_lab(series))
        side = self._read(first)
        outcome = combine(verdict.outcome for verdict in side.verdicts)
        click.echo(f"{name}: {outcome} after {time.monotonic() - started_s:.1f} s", err=True)
        return side

    def order_lab(self, series: PatchSeries | None) -> UpOrder:
        """The lab of a side: the base with a series on it, or without."""
        if self.whole:
            return order_whole(self.up, series, Phases(watcher=self.progress))
        return replace(self.up, series=series, rebuilt=self.drivers)

    def run_base(self) -> Side:
        """The base; from the cache if it was run before and nothing that decides it has changed.

        A cold one is always run.
        """
        kept = KeptBase(key=self.base_key())
        known = None if self.up.cold else kept.read()
        if known is not None:
            run, faults = known
            when = run.environment.get(MEASURED, "earlier")
            click.echo(f"{BASE}: as it was measured {when}, nothing of it has changed", err=True)
            self.results.begin(run.name, {**run.environment, "from": "cache"})
            self.results.note(run.verdicts)
            return Side(verdicts=run.verdicts, faults=faults)
        side = self.run(BASE, None)
        if self.results.broken_code is None and not kept.keep(self.results.runs[-1], side):
            click.echo(f"{BASE}: not all is well with it, the next try runs it again", err=True)
        return side

    def base_key(self) -> str:
        """Base drivers, images and plan; suites and how they are run; xenlab itself."""
        undertaking = Undertaking(order=self.order_lab(None), phases=Phases(watcher=self.progress))
        order = self.order
        return digest_words(
            (
                undertaking.fingerprint(), digest_program(), order.keyword, order.extent,
                *order.chance, *map(_digest_suite, order.paths),
            )
        )  # fmt: skip

    def _read(self, first: int) -> Side:
        """All runs since there were so many: after a crash the rest of a suite has its own lab."""
        consoles = read_run(self.results.folder).consoles
        faults = (fault for each in consoles if each.run >= first for fault in each.faults)
        verdicts = (verdict for run in self.results.runs[first:] for verdict in run.verdicts)
        return Side(verdicts=tuple(verdicts), faults=tuple(map(FaultMark.of, faults)))


def _digest_suite(path: Path) -> str:
    """A suite of ours by its name, for the program's digest holds it; another by its content."""
    if path.is_relative_to(SHIPPED):
        return str(path.relative_to(SHIPPED))
    return digest_words((str(path), *_contents(Path(str(path).partition("::")[0]))))


def _contents(path: Path) -> Iterator[str]:
    """Of all that a test may import from beside it, too."""
    files = sorted((path if path.is_dir() else path.parent).rglob("*.py"))
    yield from (file.read_text(encoding="utf-8", errors="replace") for file in files)
