"""SeriesWalk: a series patch by patch; Found: the bad one of it; Unsearched: why none is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xenlab.report.comparison import ComparisonView
from xenlab.report.rows import printable
from xenlab.verdict.bisection import BAD, Bisection
from xenlab.verdict.comparison import Comparison
from xenlab.verdict.outcome import Outcome, combine
from xenlab.verdict.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one patch changes; `comparison` has what stood before it as its base."""

    title: str
    comparison: Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The end of a bisection; `titles` are the suspects, one where it could be told.

    `left_out` is how many commits of the range were not tried, or not whole, for they change more
    than drivers.
    """

    bisection: Bisection
    titles: tuple[str, ...]
    last: Comparison
    left_out: int = 0

    @property
    def outcome(self) -> Outcome:
        """As the last patch's, unless it could not be told which one it was, or tried."""
        if self.last.outcome in BAD and len(self.titles) > 1:
            return Outcome.INCONCLUSIVE
        if self.last.outcome is Outcome.PASS and self.left_out:
            return Outcome.INCONCLUSIVE
        return self.last.outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsearched:
    """A bisection that could not begin, for an end of the range came to these verdicts.

    `why` says which end, and what that leaves open.
    """

    why: str
    verdicts: tuple[Verdict, ...]
    left_out: int = 0

    @property
    def outcome(self) -> Outcome:
        """It says nothing of any patch: a lab that broke, or no answer."""
        broken = any(verdict.outcome is Outcome.LAB_ERROR for verdict in self.verdicts)
        return Outcome.LAB_ERROR if broken else Outcome.INCONCLUSIVE

    def render(self) -> Iterator[str]:
        """What did not pass with all its reasons, then why it is no answer."""
        for verdict in self.verdicts:
            if verdict.outcome not in {Outcome.PASS, Outcome.SKIP}:
                yield printable(f"{verdict.outcome} {verdict.rule}, {verdict.subject}")
                lines = [line for reason in verdict.reasons for line in reason.splitlines()]
                yield from (f"    {printable(line)}" for line in lines)
        yield f"{self.outcome}: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesWalk:
    """All steps, and the whole series beside the base."""

    steps: tuple[Step, ...]
    whole: ComparisonView

    @property
    def outcome(self) -> Outcome:
        """A series has to be good after each of its patches."""
        return combine(self.outcomes)

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What each patch came to."""
        return tuple(step.comparison.outcome for step in self.steps)

    def render(self) -> Iterator[str]:
        """A line for each patch, with what changed there; then the table of the whole, and all."""
        for number, step in enumerate(self.steps, start=1):
            title = f"{number}/{len(self.steps)} {printable(step.title)}"
            yield f"{step.comparison.outcome:<12} {title}"
            view = ComparisonView(comparison=step.comparison)
            yield from (f"    {line}" for line in view.render_changes())
        yield ""
        yield from self.whole.render_table()
        if self.whole.uncompared:
            yield f"throughput not compared: {self.whole.uncompared}"
        yield f"the whole series beside its base: {self.whole.summary()}"
        yield f"{self.outcome}: {self._blamed() or 'every patch'}"

    def _blamed(self) -> str:
        """The patches whose steps do not pass."""
        blamed = [
            f"{number} ({outcome})"
            for number, outcome in enumerate(self.outcomes, start=1)
            if outcome is not Outcome.PASS
        ]
        return f"patch {', '.join(blamed)}" if blamed else ""
