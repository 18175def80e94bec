"""SlotHistogram: how many packets took how many ring slots, what became of them, and the limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from xenlab.measure.layouts import LayoutRun
from xenlab.slots.fate import Fate
from xenlab.slots.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotCount:
    """Packets of one slot count that met one fate."""

    ring_slots: int
    fate: Fate
    packets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotMark:
    """A number of slots from which on something else happens."""

    ring_slots: int
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotHistogram:
    """Counts by slots and fate, in ascending order, and the marks that were in force."""

    subject: str
    counts: tuple[SlotCount, ...]
    marks: tuple[SlotMark, ...]


def build_histogram(
    subject: str, packets: Mapping[tuple[int, Fate], int], limits: Limits
) -> SlotHistogram:
    """The histogram of packets by slot count and fate; empty counts are left out."""
    return SlotHistogram(
        subject=subject,
        counts=tuple(
            SlotCount(ring_slots=slots, fate=fate, packets=count)
            for (slots, fate), count in sorted(packets.items())
            if count
        ),
        marks=mark_slots(limits),
    )


def mark_slots(limits: Limits) -> tuple[SlotMark, ...]:
    """Where the fate of a packet changes: 17, 18, 19, 20 and 22 slots for stock drivers."""
    marks = sorted(_find_marks(limits), key=lambda mark: mark[0])
    return tuple(SlotMark(ring_slots=at, meaning=text) for at, text in marks)


def _find_marks(limits: Limits) -> Iterator[tuple[int, str]]:
    """Only those that a packet can meet: what fewer slots are refused for has no mark."""
    yield limits.max_skb_frags, "MAX_SKB_FRAGS"
    yield limits.frontend_slots, "the most that netfront sends"
    # The head takes one slot whole, and every frag one more: that is as many as fit.
    frag_list = 1 + limits.backend_max_skb_frags + 1
    if frag_list < limits.lost_slots:
        yield frag_list, "dom0: frag_list"
    if limits.lost_slots < limits.fatal_slots:
        yield limits.lost_slots, "dom0: lost without a counter"
    yield limits.fatal_slots, "dom0: vif disabled"


def observe_histogram(
    subject: str, run: LayoutRun, seen: Mapping[int, int], limits: Limits
) -> SlotHistogram:
    """What went over the ring, with the fates that the model gives packets of each slot count.

    More packets than the model knows of a count are shown as intact: nobody foretold another fate.
    """
    foretold = Counter(zip(run.ring_slots, run.fates, strict=True))
    packets: Counter[tuple[int, Fate]] = Counter()
    for slots, count in seen.items():
        left = count
        for fate in Fate:
            taken = min(left, foretold[slots, fate])
            packets[slots, fate] += taken
            left -= taken
        packets[slots, Fate.INTACT] += left
    return build_histogram(subject, packets, limits)
