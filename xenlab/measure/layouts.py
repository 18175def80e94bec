"""LayoutRun: layouts that were sent, what must become of each, and what was seen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from xenlab.measure.layout_way import LayoutWay
from xenlab.slots.fate import Fate
from xenlab.slots.layout import Layout


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

    `frags` is how many it has beside its head, `listed` how many skbs are on its frag_list.

    A tuple: there are a hundred thousand of them.
    """

    head_bytes: int
    gso_size_bytes: int
    blank: bool
    frags: int
    listed: int = 0


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
    there before it. `remade` says that it came back to its sender neither as it was composed nor in
    one piece. Equal ones are one object: there are a hundred thousand of them.
    """

    landing: Landing
    dropped: bool
    linearised: bool | None
    form: Form | None = None
    held: bool = False
    first_bad_offset: int | None = None
    silence: Silence = NO_SILENCE
    remade: bool = False

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
    `heads_bytes` is how much of each must be in its skb's head at the sink; empty where that is not
    predicted, and 0 for a packet of which it is not; `frags` is the same for how many frags that
    has, with None for such a packet. `frames` is how many packets each is behind a NIC; empty where
    there is none on the way. Behind one no form is judged: what is cut there is joined as it may.
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
    frags: tuple[int | None, ...] = ()
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
