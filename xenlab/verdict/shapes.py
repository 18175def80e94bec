"""The rule of shapes: what a setting must visibly change of the packets, it has changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from xenlab.measure.measurement import Measurement
from xenlab.measure.shapes import Quantity, Shapes, Spot
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

SETTING_SHOWS = "setting shows"
SEGMENTED = "segmented on the way"
LIMIT_KEPT = "limit of a setting"

Sight = Mapping[Spot, Shapes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A quantity at a spot that lies within bounds under a setting.

    `controlled` claims must not hold without the setting: else the traffic could not have shown
    that it has an effect.
    """

    spot: Spot
    quantity: Quantity
    most: int
    least: int = 0
    controlled: bool = True

    def holds(self, sight: Sight) -> bool:
        """Whether the quantity is within the bounds."""
        return self.least <= sight[self.spot].measure(self.quantity) <= self.most

    def describe(self, sight: Sight) -> str:
        """What the quantity is."""
        return f"{self.spot}: {self.quantity}: {sight[self.spot].measure(self.quantity)}"


def judge_claims(
    subject: str, claims: Sequence[Claim], sight: Sight, without: Sight | None
) -> Verdict:
    """Whether all claims hold; `without` is the same traffic without the setting.

    A spot that saw no packet proves nothing, nor does traffic to which the setting does nothing.
    """
    wrong = [
        f"{claim.describe(sight)}, not {_bounds(claim)}"
        for claim in claims
        if not claim.holds(sight)
    ]
    doubts = [*_doubts(claims, sight, without)]
    outcome = Outcome.FAIL if wrong else Outcome.INCONCLUSIVE if doubts else Outcome.PASS
    controls = [claim.describe(without) for claim in claims if without and claim.controlled]
    packets = ", ".join(f"{spot} {sight[spot].packets}" for spot in _spots(claims))
    return Verdict(
        rule=SETTING_SHOWS,
        subject=subject,
        outcome=outcome,
        reasons=tuple(wrong or doubts),
        numbers={
            f"{claim.spot}: {claim.quantity}": sight[claim.spot].measure(claim.quantity)
            for claim in claims
        },
        control=f"packets seen: {packets}"
        + (f"; without the setting {'; '.join(controls)}" if controls else ""),
    )


def judge_refused(subject: str, refused: Sequence[str]) -> Verdict:
    """A setting that a device does not take: nothing was tested, and this is why."""
    return Verdict(
        rule=SETTING_SHOWS, subject=subject, outcome=Outcome.SKIP, reasons=tuple(refused)
    )


def judge_limit(subject: str, refused: Sequence[str]) -> Verdict:
    """Whether a device refused what is more than it may take."""
    return Verdict(
        rule=LIMIT_KEPT,
        subject=subject,
        outcome=Outcome.PASS if refused else Outcome.FAIL,
        reasons=() if refused else ("the device took it",),
        control="; ".join(refused),
    )


def judge_segmented(subject: str, measurement: Measurement, segments: int) -> Verdict:
    """Whether packets that dom0 segments become exactly as many as their segments are.

    `segments` is how many packets those must become that netback took from the source. In place of
    the rule of duplicates, for which each packet more is one too many.
    """
    sink_vif = measurement.forward.hops[-1].packets_in if measurement.forward.hops else 0
    surplus = sink_vif - segments
    taken = measurement.forward.packets_in
    reasons = [f"{sink_vif} packets went on to the sink, and {segments} are their segments"]
    if surplus == 0:
        outcome = Outcome.PASS if segments > taken else Outcome.INCONCLUSIVE
        reasons = [] if segments > taken else ["no packet was segmented on the way"]
    else:
        outcome = Outcome.FAIL
    return Verdict(
        rule=SEGMENTED,
        subject=subject,
        outcome=outcome,
        reasons=tuple(reasons),
        numbers={"taken": taken, "segments": segments, "sent_on": sink_vif},
        control=f"{taken} packets came from the source, {segments - taken} fewer than segments",
    )


def _doubts(claims: Sequence[Claim], sight: Sight, without: Sight | None) -> Iterator[str]:
    if not claims:
        yield "nothing was claimed"
    for spot in _spots(claims):
        if not sight[spot].packets:
            yield f"{spot}: no packet was seen"
    for claim in claims:
        if not claim.controlled:
            continue
        if without is None:
            yield f"{claim.spot}: there is no run without the setting"
        elif claim.holds(without):
            yield f"{claim.describe(without)} without the setting too: it could not show anything"


def _spots(claims: Sequence[Claim]) -> tuple[Spot, ...]:
    return tuple(dict.fromkeys(claim.spot for claim in claims))


def _bounds(claim: Claim) -> str:
    if claim.least == claim.most:
        return str(claim.most)
    return f"{claim.least} to {claim.most}" if claim.least else f"at most {claim.most}"
