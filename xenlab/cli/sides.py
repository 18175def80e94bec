"""Sides: one run of the suites after the other, each in a lab of its own, to be compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click

from xenlab.cli.results import Results
from xenlab.cli.run_files import read_run
from xenlab.cli.suite_order import SHIPPED, SuiteOrder
from xenlab.cli.trial import Trial
from xenlab.kernel.patch_series import PatchSeries
from xenlab.lab import Lab
from xenlab.life.order import Undertaking, UpOrder
from xenlab.life.phases import Phases
from xenlab.life.whole_way import order_whole
from xenlab.measure.contest import BASE
from xenlab.registry.bases import digest_program, digest_words, find_base, keep_base
from xenlab.registry.runs import RESULTS
from xenlab.report.progress import Progress
from xenlab.report.results import SuiteRun
from xenlab.report.side_document import parse_side, render_side
from xenlab.report.stored_run import Malformed
from xenlab.verdict.comparison import FaultMark, Side
from xenlab.verdict.outcome import Outcome, combine

FAULTS = "faults.jsonl"
# What says nothing of the base, and might come out otherwise the next time.
NOT_KEPT = frozenset({Outcome.LAB_ERROR, Outcome.INCONCLUSIVE})


@dataclass(slots=True, kw_only=True)
class Sides:
    """Runs the suites of one order on the base and with series on it; all goes into one run.

    Where it is to be the `whole` way every side boots kernels that are built here.
    """

    order: SuiteOrder
    up: UpOrder
    results: Results
    progress: Progress
    whole: bool = False

    def run(
        self,
        name: str,
        series: PatchSeries | None,
        *,
        stop_at_first: bool = False,
        afterwards: Callable[[Lab], None] = lambda _lab: None,
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
        return replace(self.up, series=series)

    def run_base(self) -> Side:
        """The base; from the cache if it was run before and nothing that decides it has changed."""
        key = self._base_key()
        folder = find_base(key)
        kept = _read_base(folder) if folder else None
        if kept is not None:
            run, faults = kept
            when = run.environment.get("measured", "earlier")
            click.echo(f"{BASE}: as it was measured {when}, nothing of it has changed", err=True)
            self.results.begin(run.name, {**run.environment, "from": "cache"})
            self.results.note(run.verdicts)
            return Side(verdicts=run.verdicts, faults=faults)
        side = self.run(BASE, None)
        outcomes = {verdict.outcome for verdict in side.verdicts}
        if outcomes and not outcomes & NOT_KEPT and self.results.broken_code is None:
            run = replace(self.results.runs[-1], verdicts=side.verdicts)
            measured = time.strftime("%Y-%m-%d %H:%M")
            run = replace(run, environment={**run.environment, "measured": measured})
            document, marks = render_side(run, side.faults)
            keep_base(key, {RESULTS: document, FAULTS: marks})
        return side

    def _base_key(self) -> str:
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


def _read_base(folder: Path) -> tuple[SuiteRun, tuple[FaultMark, ...]] | None:
    """What was kept; None for what another version kept, or somebody damaged."""
    try:
        return parse_side((folder / RESULTS).read_bytes(), (folder / FAULTS).read_bytes())
    except (OSError, Malformed) as refusal:
        click.echo(f"warning: the kept base cannot be read, it is run anew: {refusal}", err=True)
        return None


def _digest_suite(path: Path) -> str:
    """A suite of ours by its name, for the program's digest holds it; another by its content."""
    if path.is_relative_to(SHIPPED):
        return str(path.relative_to(SHIPPED))
    return digest_words((str(path), *_contents(Path(str(path).partition("::")[0]))))


def _contents(path: Path) -> Iterator[str]:
    """Of all that a test may import from beside it, too."""
    files = sorted((path if path.is_dir() else path.parent).rglob("*.py"))
    yield from (file.read_text(encoding="utf-8", errors="replace") for file in files)
