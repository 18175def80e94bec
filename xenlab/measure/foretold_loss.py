"""Packets that netback has to lose for another reason than their slots, and who counts them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from xenlab.measure.layouts import Landing, LayoutCounters, LayoutRun
from xenlab.slots.fate import Fate, Prediction, predict
from xenlab.slots.limits import COPY_BYTES, Limits

Concerned = Callable[[Prediction], bool]


def has_plain_head(prediction: Prediction) -> bool:
    """Whether netback allocates an skb for just the 128 bytes that it copies of any packet."""
    acceptance = prediction.acceptance
    return acceptance is not None and acceptance.headlen_bytes == COPY_BYTES


def has_frag_list(prediction: Prediction) -> bool:
    """Whether netback allocates a second skb, and then pages for what both hold."""
    return prediction.fate is Fate.OVERFLOW


def lose(
    run: LayoutRun, limits: Limits, concerned: Concerned, failed: int, *, is_counted: bool
) -> LayoutRun:
    """The same run, expected to lose so many of the packets concerned: as many as failed.

    Which ones only netback knows: those that are missing, if they are so many, else the first.
    `is_counted`: netback had counted them by then (tx_frag_overflow and tx_zerocopy_sent). Nobody
    counts the loss.
    """
    predictions = [predict(layout, limits) for layout in run.layouts]
    candidates = [concerned(prediction) for prediction in predictions]
    missing = [
        each and sighting.landing is Landing.MISSING
        for each, sighting in zip(candidates, run.sightings, strict=True)
    ]
    lost = missing if sum(missing) == failed else _first(candidates, failed)
    expected = run.expected
    if expected is not None and not is_counted:
        for prediction, is_so in zip(predictions, lost, strict=True):
            expected = _without(expected, prediction) if is_so else expected
    fates = (Fate.LOST if is_so else fate for is_so, fate in zip(lost, run.fates, strict=True))
    return replace(run, fates=tuple(fates), expected=expected)


def _first(candidates: Sequence[bool], count: int) -> list[bool]:
    places = [place for place, each in enumerate(candidates) if each][:count]
    return [place in places for place in range(len(candidates))]


def _without(expected: LayoutCounters, prediction: Prediction) -> LayoutCounters:
    return replace(
        expected,
        tx_frag_overflow=expected.tx_frag_overflow - prediction.counters.tx_frag_overflow,
        tx_zerocopy_sent=expected.tx_zerocopy_sent - prediction.counters.tx_zerocopy_sent,
    )
