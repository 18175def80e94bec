"""Starvation: what must become of layouts where no memory is left in pieces above some order."""

from __future__ import annotations

from dataclasses import replace

from xenlab.errors import MeasurementError
from xenlab.measure.layouts import LayoutCounters, LayoutRun, Sighting
from xenlab.slots.fate import Fate, Prediction, predict
from xenlab.slots.limits import Limits

# Table of the probe: see xenlab/guest/block_probes.py.
BLOCKS = "blocks found"


def is_starved(prediction: Prediction, largest_order: int) -> bool:
    """Whether netfront has to linearise this packet, and finds no block that is large enough.

    It asks with GFP_ATOMIC, once, and drops what it cannot copy (xen-netfront.c:746).
    """
    sending = prediction.sending
    return sending.linearised and sending.copy_order > largest_order


def starve(run: LayoutRun, limits: Limits, largest_order: int, *, blocks: int = 0) -> LayoutRun:
    """The same run, expected to lose just the packets for which there is no memory.

    `blocks` is how many larger ones somebody found while it went on, be it who keeps memory in
    pieces: they come up for a moment when others give back what lies side by side. So many packets
    at most may have been copied into one; which ones only their driver knows, and they must arrive
    like all others. Raises MeasurementError where no packet was left without.
    """
    predictions = [predict(layout, limits) for layout in run.layouts]
    without = [is_starved(prediction, largest_order) for prediction in predictions]
    copied = [_is_copied(sighting) for sighting in run.sightings]
    lucky = [each and was for each, was in zip(without, copied, strict=True)]
    excused = sum(lucky) <= blocks
    starved = [each and not (excused and found) for each, found in zip(without, lucky, strict=True)]
    if blocks and not any(starved):
        raise MeasurementError(
            f"{run.subject}: no packet was without memory: {blocks} blocks above order"
            f" {largest_order} were found meanwhile"
        )
    fates = [
        Fate.DROPPED if is_so else fate for is_so, fate in zip(starved, run.fates, strict=True)
    ]
    slots = [0 if is_so else each for is_so, each in zip(starved, run.ring_slots, strict=True)]
    expected = run.expected
    if expected is not None:
        for prediction, is_so in zip(predictions, starved, strict=True):
            expected = _without(expected, prediction) if is_so else expected
    return replace(run, fates=tuple(fates), ring_slots=tuple(slots), expected=expected)


def _is_copied(sighting: Sighting) -> bool:
    return sighting.linearised is True and not sighting.dropped


def _without(expected: LayoutCounters, prediction: Prediction) -> LayoutCounters:
    """What is counted when this packet is dropped where it would have been sent."""
    counters = prediction.counters
    return LayoutCounters(
        frontend_tx_dropped=expected.frontend_tx_dropped + counters.frontend_tx_packets,
        tx_frag_overflow=expected.tx_frag_overflow - counters.tx_frag_overflow,
        tx_zerocopy_sent=expected.tx_zerocopy_sent - counters.tx_zerocopy_sent,
    )
