"""Crossing: what suites came to with one Xen, dom0 kernel and domU kernel; Sweep: all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xenlab.verdict.outcome import Outcome, combine
from xenlab.verdict.verdict import Verdict

CANNOT = "cannot"
GO_TOGETHER = "versions make a lab"
NO_VERDICT = "no verdict was given"


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """What meets in one lab: a Debian suite for Xen, and a word for each kernel."""

    xen: str
    dom0_kernel: str
    domu_kernel: str

    def __str__(self) -> str:
        """In one line."""
        return f"Xen {self.xen}, dom0 {self.dom0_kernel}, domU {self.domu_kernel}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """One cell. What booted is empty where nothing came up; `reasons` are of what did not pass.

    Where the versions could not even be made into a lab it is inconclusive, and says `cannot`.
    """

    versions: Versions
    outcome: Outcome
    node: str
    cannot: bool
    reasons: tuple[str, ...]
    elapsed_s: float
    xen_version: str = ""
    kernels: str = ""

    @classmethod
    def of(cls, versions: Versions, verdicts: Sequence[Verdict], elapsed_s: float) -> Crossing:
        """What all verdicts of a cell come to; without any it is inconclusive."""
        outcome = combine(verdict.outcome for verdict in verdicts)
        worst = [verdict for verdict in verdicts if verdict.outcome is outcome]
        cannot = any(verdict.rule == GO_TOGETHER for verdict in worst)
        return cls(
            versions=versions,
            outcome=outcome,
            node=next((verdict.node for verdict in worst if verdict.node), ""),
            cannot=cannot,
            reasons=() if outcome is Outcome.PASS else tuple(_say(worst)) or (NO_VERDICT,),
            elapsed_s=elapsed_s,
        )

    @property
    def label(self) -> str:
        """Its outcome in a word: a crash with the kernel that crashed."""
        if self.cannot:
            return CANNOT
        return f"{self.outcome}({self.node})" if self.node else str(self.outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """The axes in the order in which they are shown, and what is known by now."""

    xens: tuple[str, ...]
    dom0_kernels: tuple[str, ...]
    domu_kernels: tuple[str, ...]
    crossings: tuple[Crossing, ...]

    @property
    def outcome(self) -> Outcome:
        """Of all cells together."""
        return combine(crossing.outcome for crossing in self.crossings)

    def find(self, versions: Versions) -> Crossing | None:
        """The cell of these versions; None where they did not meet."""
        found = (each for each in self.crossings if each.versions == versions)
        return next(found, None)

    @property
    def all_versions(self) -> int:
        """How many cells there would be if every version met every other."""
        return len(self.xens) * len(self.dom0_kernels) * len(self.domu_kernels)


def _say(verdicts: Sequence[Verdict]) -> list[str]:
    """A line a verdict, the same one once."""
    lines = []
    for verdict in verdicts:
        why = "; ".join(verdict.reasons) or str(verdict.outcome)
        ours = verdict.rule == GO_TOGETHER
        lines.append(why if ours else f"{verdict.subject}: {verdict.rule}: {why}")
    return list(dict.fromkeys(lines))
