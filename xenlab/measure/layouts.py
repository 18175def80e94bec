"""LayoutRun: layouts that were sent, what must become of each, and what was seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import repeat
from typing import NamedTuple

from xenlab.measure.layout_way import LayoutWay
from xenlab.slots.fate import Fate
from xenlab.slots.layout import Checksum, Layout


class Landing(StrEnum):
    """In what state a packet came to its sink, whole or in segments.

    LATE is whole, but behind a later one of its protocol: one flow has one queue.
    """

    WHOLE = "arrived"
    LATE = "arrived behind a later packet"
    DAMAGED = "arrived damaged"
    DOUBLED = "arrived more than once"
    PARTIAL = "arrived in part"
    MISSING = "did not arrive"


class Form(NamedTuple):
    """How the skb lies that came to a sink in one piece; `blank` is CHECKSUM_PARTIAL.

    `frags` is how many it has beside its head.

    A tuple: there are a hundred thousand of them.
    """

    head_bytes: int
    gso_size_bytes: int
    blank: bool
    frags: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """How long nothing came to a sink, in whole milliseconds.

    At most `host_ms` of it the host may owe, by running something else; None where that is not
    known.
    """

    silence_ms: int
    host_ms: int | None

    @property
    def own_ms(self) -> int:
        """What is left of it for the lab: nothing where that is not known."""
        return 0 if self.host_ms is None else self.silence_ms - self.host_ms


NO_SILENCE = Silence(silence_ms=0, host_ms=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One packet as its sender and its sink saw it.

    `linearised` is None where it cannot be told: nothing outside the head, or no skb came back.
    `form` is None where it did not come in one piece, or nobody looked; `held` says that its driver
    has not given it back to its sender. `first_bad_offset` is that of the first wrong byte of its
    payload, where its sink names one; `silence` is how long nothing had come
    there before it. Equal ones are one object: there are a hundred thousand of them.
    """

    landing: Landing
    dropped: bool
    linearised: bool | None
    form: Form | None = None
    held: bool = False
    first_bad_offset: int | None = None
    silence: Silence = NO_SILENCE

    @property
    def words(self) -> str:
        """What was seen at the sink."""
        if self.landing is Landing.DAMAGED and self.first_bad_offset is not None:
            return f"{self.landing}, first in byte {self.first_bad_offset} of its payload"
        return str(self.landing)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutCounters:
    """By how much counters moved that are none of a hop, at rest before and after.

    The vif's are those of `ethtool -S`.
    """

    frontend_tx_dropped: int
    tx_frag_overflow: int
    tx_zerocopy_sent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutRun:
    """A run from `source` to `sink`, one entry a packet in each tuple.

    `expected` and `counted` are None where the source has no netfront: dom0. `ring_slots` is what
    each packet must take on the ring in the end, 0 where nothing is sent; empty without a netfront.
    `heads_bytes` is how much of each must be in its skb's head at the sink; empty where the form in
    which packets come is not predicted; `frags` is the same for how many frags that has. `frames`
    is how many packets each is behind a NIC; empty where there is none on the way.
    """

    source: str
    sink: str
    layouts: tuple[Layout, ...]
    slots: tuple[int, ...]
    fates: tuple[Fate, ...]
    sightings: tuple[Sighting, ...]
    expected: LayoutCounters | None
    counted: LayoutCounters | None
    way: LayoutWay
    ring_slots: tuple[int, ...] = ()
    heads_bytes: tuple[int, ...] = ()
    frags: tuple[int, ...] = ()
    frames: tuple[int, ...] = ()

    @property
    def subject(self) -> str:
        """For verdicts."""
        return f"{self.source} -> {self.sink}"

    def count(self, fate: Fate) -> int:
        """How many packets must have this fate."""
        return self.fates.count(fate)

    @property
    def landings(self) -> Counter[Landing]:
        """How many packets landed how."""
        return Counter(sighting.landing for sighting in self.sightings)

    @property
    def seen_linearised(self) -> int:
        """How many packets the sender saw linearised."""
        return sum(sighting.linearised is True for sighting in self.sightings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """A layout that met another fate than the model says; `layout` can be sent again as it is."""

    index: int
    layout: Layout
    slots: int
    fate: Fate
    seen: str

    def __str__(self) -> str:
        """For a verdict's reasons."""
        return (
            f"packet {self.index}, `{self.layout}` ({self.slots} slots) must be {self.fate},"
            f" and {self.seen}"
        )


def find_disagreements(run: LayoutRun) -> Iterator[Disagreement]:
    """Every packet whose fate was not the one predicted."""
    rows = zip(run.layouts, run.slots, run.fates, run.sightings, strict=True)
    heads_bytes = run.heads_bytes or repeat(0)
    all_frags = run.frags or repeat(None)
    for index, ((layout, slots, fate, sighting), head_bytes, frags) in enumerate(
        zip(rows, heads_bytes, all_frags, strict=False)
    ):
        seen = _contradict(fate, sighting)
        if head_bytes and sighting.form is not None:
            seen = seen or _contradict_form(layout, head_bytes, sighting.form)
            seen = seen or _contradict_frags(frags, sighting.form)
        if seen:
            yield Disagreement(index=index, layout=layout, slots=slots, fate=fate, seen=seen)


def _contradict(fate: Fate, sighting: Sighting) -> str:
    """What was seen that cannot be with this fate; empty if all fits."""
    if sighting.dropped != (fate is Fate.DROPPED):
        return "was dropped by its driver" if sighting.dropped else "was not dropped"
    if sighting.landing is not (Landing.WHOLE if fate.arrives else Landing.MISSING):
        return sighting.words
    if sighting.held:
        return "was not given back to its sender by its driver"
    if sighting.linearised is not None and fate.arrives:
        linearised = fate is Fate.LINEARISED
        if sighting.linearised != linearised:
            return "was linearised" if sighting.linearised else "was not linearised"
    return ""


def _contradict_form(layout: Layout, head_bytes: int, form: Form) -> str:
    """In what form it came that is not the one it has to come in."""
    if form.head_bytes != head_bytes:
        return f"came with {form.head_bytes} bytes in its head, not {head_bytes}"
    if form.gso_size_bytes != layout.gso_size_bytes:
        return f"came with a GSO size of {form.gso_size_bytes}, not {layout.gso_size_bytes}"
    if layout.checksum is Checksum.PARTIAL and not form.blank:
        return "came with a checksum that was blank and is none any more"
    return ""


def _contradict_frags(frags: int | None, form: Form) -> str:
    if frags is None or form.frags == frags:
        return ""
    return f"came with {form.frags} frags, not {frags}"


def find_miscounts(run: LayoutRun) -> Iterator[str]:
    """Every counter that moved by another amount than the packets must have moved it."""
    if run.expected is None or run.counted is None:
        return
    for name in LayoutCounters.__dataclass_fields__:
        must, is_ = getattr(run.expected, name), getattr(run.counted, name)
        if must != is_:
            yield f"{name} moved by {is_}, not {must}"
