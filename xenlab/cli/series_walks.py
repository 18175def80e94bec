"""`xenlab try --per-patch` and `--bisect` at work: one series, in as many labs as it takes."""

from __future__ import annotations

import click

from xenlab.cli.attempt import Attempt
from xenlab.errors import DoesNotCompile
from xenlab.kernel.driver import Reach
from xenlab.measure.contest import BASE
from xenlab.report.comparison import ComparisonView
from xenlab.report.rows import printable
from xenlab.report.series_walk import Found, SeriesWalk, Step, Unsearched
from xenlab.report.wording import say_count
from xenlab.verdict.bisection import BAD, Bisection
from xenlab.verdict.comparison import Comparison
from xenlab.verdict.outcome import Outcome, combine
from xenlab.verdict.side import Side
from xenlab.verdict.verdict import Verdict

BUILDS = "driver builds"
UNSOUND = f"the {BASE} does not pass: no patch of the range is to blame for that"
UNBUILT = "the end of the range does not build: whether anything of it fails cannot be told"
ONE_BY_ONE = "--per-patch is for verdicts"


def walk_series(attempt: Attempt) -> SeriesWalk:
    """Every patch beside the one before it; what one of them broke is not told of the next."""
    patches = attempt.series.patches
    base = before = attempt.sides.run_base()
    steps = []
    for number, patch in enumerate(patches, start=1):
        # What changes only documentation has nothing to be run for.
        side = before if Reach.of(patch.files).is_nothing else run_first(attempt, number)
        steps.append(Step(title=patch.title, comparison=Comparison(base=before, patched=side)))
        before = side
    whole = ComparisonView(comparison=Comparison(base=base, patched=before), uncompared=ONE_BY_ONE)
    return SeriesWalk(steps=tuple(steps), whole=whole)


def bisect_series(attempt: Attempt, left_out: int) -> Found | Unsearched:
    """Which patch is the first with which the suites fail, of a series with which they do.

    `left_out` is how many commits of the range are not in the series, or not whole. Nothing is
    searched where the base does not pass, for then no patch of it is to blame, nor where the end of
    the range does not build.
    """
    patches = attempt.series.patches
    base = attempt.sides.run_base()
    if combine(verdict.outcome for verdict in base.verdicts) is not Outcome.PASS:
        return Unsearched(why=UNSOUND, verdicts=base.verdicts, left_out=left_out)
    last = Comparison(base=base, patched=run_first(attempt, len(patches)))
    if not _is_built(last.patched):
        return Unsearched(why=UNBUILT, verdicts=last.patched.verdicts, left_out=left_out)
    bisection = Bisection(good=0, bad=len(patches))
    if last.outcome in BAD:
        click.echo(f"{len(patches)} commits change a driver, and one of them is bad", err=True)
    while last.outcome in BAD and (count := bisection.next_count) is not None:
        outcome = _outcome(base, run_first(attempt, count))
        bisection = bisection.note(count, outcome)
        left = say_count(len(bisection.suspects), "suspect")
        tried = printable(patches[count - 1].title)
        click.echo(f"up to {tried}: {outcome}; {left} left", err=True)
    titles = tuple(patches[number - 1].title for number in bisection.suspects)
    titles = titles if last.outcome in BAD else ()
    return Found(bisection=bisection, titles=titles, last=last, left_out=left_out)


def _outcome(base: Side, side: Side) -> Outcome:
    """What cannot be built says nothing of what would fail."""
    return Comparison(base=base, patched=side).outcome if _is_built(side) else Outcome.INCONCLUSIVE


def _is_built(side: Side) -> bool:
    return all(verdict.rule != BUILDS for verdict in side.verdicts)


def run_first(attempt: Attempt, count: int) -> Side:
    """The suites with the first patches of the series; what does not compile is a FAIL."""
    patches = attempt.series.patches
    name, title = f"patch {count} of {len(patches)}", printable(patches[count - 1].title)
    try:
        return attempt.sides.run(name, attempt.series.first(count), stop_at_first=attempt.quick)
    except DoesNotCompile as error:
        click.echo(f"{title}: {error}", err=True)
        told = Verdict(
            rule=BUILDS, subject=title, outcome=Outcome.FAIL, reasons=error.problems, alarm=True
        )
        attempt.sides.results.begin(name, {"side": name})
        attempt.sides.results.note([told])
        return Side(verdicts=(told,))
