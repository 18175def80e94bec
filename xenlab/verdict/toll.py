"""The rule of the toll: netback does what its slots make it do, and what that costs is told."""

from __future__ import annotations

from collections.abc import Iterator

from xenlab.measure.toll import Toll, TollCounts, TollMeter
from xenlab.slots.limits import Limits
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

METERED = "frag_list toll metered"


def judge_toll(meter: TollMeter) -> Verdict:
    """PASS if every packet was counted, copied and mapped as the model says, and none was lost.

    The cost has no limit of its own: it is a number to compare. Without packets, or where the two
    kinds do not differ, there is nothing to compare and it is INCONCLUSIVE.
    """
    reasons = [*_wrong(meter.plain), *_wrong(meter.taxed)]
    outcome = Outcome.FAIL if reasons else Outcome.PASS
    doubts = tuple(_doubts(meter))
    if doubts and not reasons:
        outcome, reasons = Outcome.INCONCLUSIVE, list(doubts)
    plain, taxed = meter.plain, meter.taxed
    return Verdict(
        rule=METERED,
        subject=meter.subject,
        outcome=outcome,
        reasons=tuple(reasons),
        numbers={
            "packets": taxed.counts.packets,
            "frag_overflow_per_thousand": taxed.per_thousand(taxed.counts.frag_overflow),
            "zerocopy_sent": taxed.counts.zerocopy_sent,
            "zerocopy_ended": taxed.counts.zerocopy_ended,
            "copies_per_thousand": taxed.per_thousand(taxed.counts.copies),
            "maps_per_thousand": taxed.per_thousand(taxed.counts.maps),
            "time_percent_of_control": _percent(meter.time_ratio),
            "cpu_percent_of_control": _percent(meter.cpu_ratio),
            "rounds": len(taxed.rounds),
        },
        control=(
            f"T = {plain.accepted.slots}: of {plain.counts.packets} packets"
            f" {plain.counts.frag_overflow} overflowed, with {plain.counts.copies} copies,"
            f" {plain.counts.maps} mappings"
        ),
    )


def judge_untaxed(subject: str, limits: Limits) -> Verdict:
    """SKIP: no packet that netback takes needs a frag_list, and why."""
    why = f"dom0's MAX_SKB_FRAGS is {limits.backend_max_skb_frags}: no packet has a frag_list"
    if limits.bounces:
        why = "a frontend that does not trust its backend copies every packet: none is too long"
    return Verdict(rule=METERED, subject=subject, outcome=Outcome.SKIP, reasons=(why,))


def _wrong(toll: Toll) -> Iterator[str]:
    slots = toll.accepted.slots
    for name in TollCounts.__dataclass_fields__:
        must, is_ = getattr(toll.expected, name), getattr(toll.counts, name)
        if must != is_:
            yield f"T = {slots}: {name} of {toll.counts.packets} packets is {is_}, not {must}"
    if toll.lost:
        yield f"T = {slots}: {toll.lost} packets of the timed rounds did not arrive intact"


def _doubts(meter: TollMeter) -> Iterator[str]:
    if not meter.plain.counts.packets or not meter.taxed.counts.packets:
        yield "nothing was sent"
    if not meter.taxed.expected.frag_overflow or meter.plain.expected.frag_overflow:
        yield "the two kinds of packets do not differ in their frag_list"
    if meter.time_ratio is None or meter.cpu_ratio is None:
        yield "no round took time enough to be compared"


def _percent(ratio: float | None) -> int:
    return round(100 * ratio) if ratio is not None else 0
