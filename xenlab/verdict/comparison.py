"""Comparison: the verdicts of a run beside those of its control run, and what that comes to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from xenlab.verdict.console_fault import ConsoleFault
from xenlab.verdict.outcome import Outcome, combine
from xenlab.verdict.verdict import Verdict

NEW_FAULTS = "no new fault on a console"
EITHER_WAY = "it does so without the patch too: this says nothing of the patch"
FAILS_ALREADY = "the base fails here as well, in a lighter way"
NOT_REACHED = "the base came to a verdict here and the patched side did not"

BAD = frozenset({Outcome.FAIL, Outcome.CRASH})
TOLD = frozenset({Outcome.PASS, Outcome.FAIL, Outcome.CRASH})

Key = tuple[str, str]


class Turn(StrEnum):
    """What became of a verdict."""

    SAME = "same"
    WORSE = "worse"
    BETTER = "better"
    UNTOLD = "untold"
    NEW = "new"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultMark:
    """A kernel's fault by what is the same in another run of it."""

    node: str
    category: str
    outcome: Outcome
    headline: str
    fingerprint: tuple[str, ...]

    @classmethod
    def of(cls, fault: ConsoleFault) -> FaultMark:
        """The mark of a fault that a console showed."""
        return cls(
            node=fault.node, category=fault.category, outcome=fault.outcome,
            headline=fault.headline, fingerprint=fault.fingerprint,
        )  # fmt: skip

    @property
    def key(self) -> tuple[str, ...]:
        """Equal for the same fault."""
        return (self.node, self.category, *self.fingerprint)

    def __str__(self) -> str:
        """For people."""
        return f"{self.category} in {self.node}: {self.headline} [{' < '.join(self.fingerprint)}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """All that one side came to; a rule that judged a subject twice counts by the worse verdict."""

    verdicts: tuple[Verdict, ...]
    faults: tuple[FaultMark, ...] = ()

    @property
    def by_key(self) -> Mapping[Key, Verdict]:
        """The verdicts by rule and subject."""
        found: dict[Key, Verdict] = {}
        for verdict in self.verdicts:
            key = (verdict.rule, verdict.subject)
            before = found.get(key)
            worse = before is None or combine((before.outcome, verdict.outcome)) != before.outcome
            if worse:
                found[key] = verdict
        return found

    @property
    def crashed(self) -> bool:
        """Whether a kernel did: what came after it may be its consequence."""
        outcomes = [verdict.outcome for verdict in self.verdicts]
        return Outcome.CRASH in {*outcomes, *(fault.outcome for fault in self.faults)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One rule on one subject, on both sides; None where a side has not judged it."""

    base: Verdict | None
    patched: Verdict | None

    @property
    def turn(self) -> Turn:
        """What became of it."""
        if self.base is None or self.patched is None:
            return Turn.NEW if self.base is None else Turn.GONE
        before, after = self.base.outcome, self.patched.outcome
        if before is after:
            return Turn.SAME
        if not {before, after} <= TOLD:
            return Turn.UNTOLD
        return Turn.WORSE if combine((before, after)) is after else Turn.BETTER

    @property
    def outcome(self) -> Outcome:
        """What this says of the patch: the base is the control, and has to be seen to pass."""
        if self.base is None or self.patched is None:
            return self.patched.outcome if self.patched else Outcome.INCONCLUSIVE
        before, after = self.base.outcome, self.patched.outcome
        if before is Outcome.LAB_ERROR:
            return combine((before, after))
        either_way = {before, after} <= BAD and self.turn is not Turn.WORSE
        uncontrolled = (before, after) == (Outcome.INCONCLUSIVE, Outcome.FAIL)
        return Outcome.INCONCLUSIVE if either_way or uncontrolled else after

    @property
    def verdict(self) -> Verdict:
        """The same as a verdict, with the base as its control."""
        shown = self.patched or self.base
        assert shown is not None
        return replace(
            shown,
            outcome=self.outcome,
            reasons=tuple(self._reasons()),
            control="; ".join(filter(None, (f"base: {self._base_outcome}", shown.control))),
            node=shown.node if self.outcome is Outcome.CRASH else "",
        )

    @property
    def _base_outcome(self) -> str:
        return str(self.base.outcome) if self.base else "no verdict"

    def _reasons(self) -> Iterator[str]:
        if self.patched is None:
            yield NOT_REACHED
            return
        if self.base is not None and {self.base.outcome, self.patched.outcome} <= BAD:
            yield EITHER_WAY if self.turn is not Turn.WORSE else FAILS_ALREADY
        elif self.base is not None and self.base.outcome not in TOLD:
            yield from (f"the base: {self.base.outcome} {reason}" for reason in self.base.reasons)
        yield from self.patched.reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A patched side beside its base."""

    base: Side
    patched: Side

    @property
    def changes(self) -> tuple[Change, ...]:
        """Every rule on every subject, in the order of the patched side, then what is gone."""
        before, after = self.base.by_key, self.patched.by_key
        keys = dict.fromkeys((*after, *before))
        return tuple(Change(base=before.get(key), patched=after.get(key)) for key in keys)

    @property
    def new_faults(self) -> tuple[FaultMark, ...]:
        """What the patched side's consoles have shown and the base's have not."""
        return _without(self.patched.faults, self.base.faults)

    @property
    def gone_faults(self) -> tuple[FaultMark, ...]:
        """The other way round."""
        return _without(self.base.faults, self.patched.faults)

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What all of it says of the patch; after a crash of it, what broke is a consequence."""
        found = (*(change.verdict for change in self.changes), *self._judge_faults())
        if not self.patched.crashed or self.base.crashed:
            return found
        return tuple(each for each in found if each.outcome is not Outcome.LAB_ERROR)

    @property
    def outcome(self) -> Outcome:
        """All of it in one."""
        return combine(verdict.outcome for verdict in self.verdicts)

    def count(self, turn: Turn) -> int:
        """How many verdicts took that turn."""
        return sum(change.turn is turn for change in self.changes)

    def _judge_faults(self) -> Iterator[Verdict]:
        by_node: dict[str, list[FaultMark]] = {}
        for fault in self.new_faults:
            by_node.setdefault(fault.node, []).append(fault)
        for node, faults in by_node.items():
            outcome = combine(fault.outcome for fault in faults)
            yield Verdict(
                rule=NEW_FAULTS,
                subject=node,
                outcome=outcome,
                reasons=tuple(map(str, faults)),
                numbers={"faults": len(faults)},
                control=f"base: {len(self.base.faults)} faults",
                node=node if outcome is Outcome.CRASH else "",
            )


def _without(faults: Iterable[FaultMark], others: Sequence[FaultMark]) -> tuple[FaultMark, ...]:
    known = {fault.key for fault in others}
    return tuple({fault.key: fault for fault in faults if fault.key not in known}.values())
