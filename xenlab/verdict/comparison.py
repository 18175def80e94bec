"""Comparison: the verdicts of a run beside those of its control run, and what that comes to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from xenlab.verdict.outcome import Outcome, combine
from xenlab.verdict.side import TOLD, FaultMark, Side
from xenlab.verdict.verdict import Verdict

NEW_FAULTS = "no new fault on a console"
EITHER_WAY = "it does so without the patch too: this says nothing of the patch"
FAILS_ALREADY = "the base fails here as well, in a lighter way"
NOT_JUDGED = "it was judged without the patch, and is not any more"
NOT_REACHED = "the base came to a verdict here and the patched side did not"
BROKEN_OFF = "the base broke off before this, and was not seen to pass"
NO_ALARM = "the same test came to its end without it"
NO_ALARM_IN_LAB = "suites ran in the lab without it"

BAD = frozenset({Outcome.FAIL, Outcome.CRASH})


class Turn(StrEnum):
    """What became of a verdict."""

    SAME = "same"
    WORSE = "worse"
    BETTER = "better"
    UNTOLD = "untold"
    NEW = "new"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One rule on one subject, on both sides; None where a side has not judged it.

    `broken_by` is what kept the base from judging it, where something did.
    """

    base: Verdict | None
    patched: Verdict | None
    broken_by: Verdict | None = None

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
            return self._outcome_of_one()
        before, after = self.base.outcome, self.patched.outcome
        if before is Outcome.LAB_ERROR:
            return combine((before, after))
        either_way = {before, after} <= BAD and self.turn is not Turn.WORSE
        uncontrolled = (before, after) == (Outcome.INCONCLUSIVE, Outcome.FAIL)
        unclear = either_way or uncontrolled or self._is_skipped
        return Outcome.INCONCLUSIVE if unclear else after

    @property
    def _is_skipped(self) -> bool:
        """Whether the patched side skips what the base has judged."""
        if self.base is None or self.patched is None:
            return False
        return self.base.outcome in TOLD and self.patched.outcome is Outcome.SKIP

    def _outcome_of_one(self) -> Outcome:
        """What one side alone says: a base without a lab is no control of anything."""
        if self.patched is not None:
            return Outcome.INCONCLUSIVE if self._is_uncontrolled else self.patched.outcome
        broke = self.base is not None and self.base.outcome is Outcome.LAB_ERROR
        return Outcome.LAB_ERROR if broke else Outcome.INCONCLUSIVE

    @property
    def _is_uncontrolled(self) -> bool:
        """Whether something fails here that the base broke off before.

        A crash is worse than that, unless it is in the very test that a crash ended on the base.
        """
        if self.base is not None or self.patched is None or self.broken_by is None:
            return False
        same_test = self.patched.test == self.broken_by.test
        crashed_too = same_test and self.broken_by.outcome is Outcome.CRASH
        return self.patched.outcome is Outcome.FAIL or (
            self.patched.outcome is Outcome.CRASH and crashed_too
        )

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
        if self._is_skipped:
            yield NOT_JUDGED
        if self._is_uncontrolled and self.broken_by is not None:
            by = self.broken_by
            yield f"{BROKEN_OFF}: {by.outcome} {by.rule}, {by.subject}"
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
        """Every rule on every subject, in the order of the patched side, then what is gone.

        An alarm on one side has been passed by the other where that came to the end of the test.
        """
        before, after = self.base.by_key, self.patched.by_key
        keys = dict.fromkeys((*after, *before))
        return tuple(self._change(before.get(key), after.get(key)) for key in keys)

    def _change(self, base: Verdict | None, patched: Verdict | None) -> Change:
        if base is None and patched is not None:
            base = _pass_alarm(self.base, patched)
            broken_by = None if base else self.base.find_break(patched.test)
            return Change(base=base, patched=patched, broken_by=broken_by)
        if patched is None and base is not None:
            patched = _pass_alarm(self.patched, base)
        return Change(base=base, patched=patched)

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


def _pass_alarm(side: Side, alarm: Verdict) -> Verdict | None:
    """A pass in place of an alarm of the other side; None where this one says nothing of it."""
    if not alarm.alarm or not side.came_through(alarm.test):
        return None
    return Verdict(
        rule=alarm.rule, subject=alarm.subject, outcome=Outcome.PASS,
        control=NO_ALARM if alarm.test else NO_ALARM_IN_LAB, test=alarm.test, alarm=True,
    )  # fmt: skip


def _without(faults: Iterable[FaultMark], others: Sequence[FaultMark]) -> tuple[FaultMark, ...]:
    known = {fault.key for fault in others}
    return tuple({fault.key: fault for fault in faults if fault.key not in known}.values())
