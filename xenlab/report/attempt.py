"""Told: what `xenlab try` has to say in the end: for people, for programs, and in one word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from xenlab.report.comparison import ComparisonView
from xenlab.report.comparison_document import encode_comparison
from xenlab.report.document import encode_verdicts
from xenlab.report.rows import printable
from xenlab.report.series_walk import Found, SeriesWalk, Unsearched
from xenlab.report.wording import say_count
from xenlab.verdict.bisection import BAD
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """`verdicts` are by the name of what they are on."""

    outcome: Outcome
    lines: tuple[str, ...]
    document: Mapping[str, object]
    verdicts: Mapping[str, tuple[Verdict, ...]]


def tell_comparison(view: ComparisonView, lines: tuple[str, ...] = ()) -> Told:
    """One comparison, in its own words or in others."""
    return Told(
        outcome=view.comparison.outcome,
        lines=lines or tuple(view.render()),
        document=encode_comparison(view),
        verdicts={"patched beside base": view.comparison.verdicts},
    )


def tell_walk(walk: SeriesWalk, lines: tuple[str, ...] = ()) -> Told:
    """A series patch by patch, in its own words or in others."""
    steps = [
        {"patch": step.title, **encode_comparison(ComparisonView(comparison=step.comparison))}
        for step in walk.steps
    ]
    document = {**encode_comparison(walk.whole), "outcome": walk.outcome, "steps": steps}
    return Told(
        outcome=walk.outcome,
        lines=lines or tuple(walk.render()),
        document=document,
        verdicts={
            f"{number}: {step.title}": step.comparison.verdicts
            for number, step in enumerate(walk.steps, start=1)
        },
    )


def tell_bisection(found: Found | Unsearched) -> Told:
    """Which patch it is, or why none was looked for."""
    if isinstance(found, Unsearched):
        return _tell_unsearched(found)
    view = ComparisonView(comparison=found.last)
    document = {
        **encode_comparison(view),
        "outcome": found.outcome,
        "suspects": list(found.titles),
        "untold": sorted(found.bisection.untold),
        "left_out": found.left_out,
    }
    return Told(
        outcome=found.outcome,
        lines=tuple(_say_found(found)),
        document=document,
        verdicts={"the whole range beside its base": found.last.verdicts},
    )


def _tell_unsearched(found: Unsearched) -> Told:
    """What failed at an end of the range is no failure of the range."""
    left = tuple(
        replace(each, outcome=Outcome.INCONCLUSIVE, node="") if each.outcome in BAD else each
        for each in found.verdicts
    )
    document = {
        **encode_verdicts(found.verdicts),
        "outcome": found.outcome,
        "why": found.why,
        "suspects": [],
        "untold": [],
        "left_out": found.left_out,
    }
    return Told(
        outcome=found.outcome,
        lines=tuple(found.render()),
        document=document,
        verdicts={found.why: left},
    )


def _say_unfound(found: Found) -> str:
    """Why there is no bad commit."""
    if found.last.outcome is not Outcome.PASS:
        return "it cannot be told whether anything of this range fails"
    if found.left_out:
        others = say_count(found.left_out, "commit")
        return f"no change of a driver fails; {others} of this range change other files: not tried"
    return "nothing of this range fails"


def _say_found(found: Found) -> Iterator[str]:
    yield from ComparisonView(comparison=found.last).render_changes()
    if not found.titles:
        yield f"{found.outcome}: {_say_unfound(found)}"
    elif len(found.titles) == 1:
        yield f"the first bad commit: {printable(found.titles[0])}"
    else:
        yield "the first bad commit is one of these, and the others cannot be built or judged:"
        yield from (f"    {printable(title)}" for title in found.titles)
