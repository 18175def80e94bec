"""The rule of natural slots: a source makes packets of as many slots as its kind can."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from xenlab.measure.natural import NaturalSlots
from xenlab.slots.limits import LEGACY_SLOTS
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

NATURAL_SLOTS = "natural slots"
# A packet that the end of a window cut has its frags elsewhere. In the lab 89 to 100 of a hundred
# long packets were within the ranges that are computed for whole ones.
WITHIN_PERCENT = 75
# 45 segments of 1448 bytes are 65160: what is much shorter is no whole packet of a stream.
LONG_BYTES = 60000


@dataclass(frozen=True, slots=True, kw_only=True)
class NaturalRange:
    """How many slots a whole packet of a source takes, and why.

    Of those that are linearised, `long_bytes` tells the whole ones. Up to 18 slots nothing is
    linearised: such a range holds for every packet.
    """

    least: int
    most: int
    why: str
    long_bytes: int = LONG_BYTES

    def __str__(self) -> str:
        return f"{self.least} to {self.most} ({self.why})"

    @property
    def is_linearised(self) -> bool:
        """Whether whole packets of it have more slots than the frontend sends."""
        return self.most > LEGACY_SLOTS


def judge_natural(natural: NaturalSlots, expected: NaturalRange, linearised: int) -> Verdict:
    """PASS if packets were within the range of their source, and linearised only beyond 18 slots.

    `linearised` is what the probe of the frontend counted: debug lines and probe have to agree.
    Nothing is said where no packet was long enough to show it.
    """
    came_with = natural.linearised_from(expected.long_bytes if expected.is_linearised else 0)
    within = sum(n for at, n in came_with.items() if expected.least <= at <= expected.most)
    reasons = list(_contradict(came_with, within, expected))
    if linearised != natural.linearised:
        reasons.append(
            f"{linearised} packets were linearised, and {natural.linearised} lines tell of them"
        )
    seen = max(came_with if expected.is_linearised else natural.ring, default=0)
    outcome = Outcome.FAIL if reasons else Outcome.PASS
    if not reasons and seen < expected.least:
        outcome = Outcome.INCONCLUSIVE
        reasons = [f"no packet was long enough: {seen} slots at most, not {expected}"]
    return Verdict(
        rule=NATURAL_SLOTS,
        subject=natural.subject,
        outcome=outcome,
        reasons=tuple(reasons),
        numbers={
            "packets": natural.packets,
            "linearised": linearised,
            "long_linearised": sum(came_with.values()),
            "within": within,
            "most_slots": seen,
        },
        control=f"on the ring: {_list(natural.ring)}; linearised came with: {_list(came_with)}",
    )


def _contradict(came_with: Mapping[int, int], within: int, expected: NaturalRange) -> Iterator[str]:
    """Each way in which packets that were linearised cannot be of this source."""
    packets = sum(came_with.values())
    if packets and not expected.is_linearised:
        yield f"{packets} packets came with {_list(came_with)} slots, not {expected}"
    elif 100 * within < WITHIN_PERCENT * packets:
        yield (
            f"{within} of {packets} long packets came with {expected} slots, and not"
            f" {WITHIN_PERCENT} % of them: {_list(came_with)}"
        )


def _list(packets: Mapping[int, int]) -> str:
    return ", ".join(f"{count} of {slots}" for slots, count in sorted(packets.items())) or "none"
