"""PenaltySum: what packets of a whole run paid, added up from the numbers of its verdicts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from xenlab.verdict.layouts import AS_PREDICTED
from xenlab.verdict.loss import NO_LOSS
from xenlab.verdict.verdict import Verdict

THOUSAND = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class PenaltyKind:
    """Events that a rule counts under these names, among what it counts under those."""

    name: str
    rule: str
    events: tuple[str, ...]
    among: tuple[str, ...]


PACKETS = ("forward_packets", "backward_packets")
KINDS = (
    PenaltyKind(
        name="datagrams lost", rule=NO_LOSS, events=("datagrams_missing",), among=("datagrams",)
    ),
    PenaltyKind(
        name="packets lost on the way", rule=NO_LOSS, events=("packets_lost",), among=PACKETS
    ),
    PenaltyKind(
        name="linearised", rule=AS_PREDICTED, events=("linearised",), among=("layouts",)
    ),
    PenaltyKind(
        name="frag_list", rule=AS_PREDICTED, events=("tx_frag_overflow",), among=("layouts",)
    ),
    PenaltyKind(
        name="layouts against the model", rule=AS_PREDICTED, events=("disagreements",),
        among=("layouts",),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PenaltySum:
    """The events of one kind in one run."""

    kind: PenaltyKind
    events: int
    among: int

    @property
    def per_thousand(self) -> float | None:
        """None where nothing was counted."""
        return self.events * THOUSAND / self.among if self.among else None


def sum_penalties(verdicts: Iterable[Verdict]) -> tuple[PenaltySum, ...]:
    """One sum for each kind."""
    verdicts = tuple(verdicts)
    return tuple(_sum(kind, verdicts) for kind in KINDS)


def _sum(kind: PenaltyKind, verdicts: tuple[Verdict, ...]) -> PenaltySum:
    """Of the verdicts that counted such events: what was not counted is not zero."""
    ours = (verdict.numbers for verdict in verdicts if verdict.rule == kind.rule)
    counted = [numbers for numbers in ours if all(name in numbers for name in kind.events)]
    return PenaltySum(
        kind=kind,
        events=sum(numbers[name] for numbers in counted for name in kind.events),
        among=sum(numbers.get(name, 0) for numbers in counted for name in kind.among),
    )
