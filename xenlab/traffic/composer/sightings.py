"""Sightings: what both ends of a batch saw of each packet, as layouts are judged by it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

from xenlab.errors import MeasurementError
from xenlab.measure.layouts import NO_SILENCE, Form, Landing, Sighting, Silence
from xenlab.slots.layout import Layout, Protocol
from xenlab.traffic.composer.delivery import Delivery, Fate
from xenlab.traffic.composer.results import Arrival
from xenlab.traffic.composer.wire import NO_INDEX, SentFlag

# As plain numbers: see xenlab.traffic.composer.results.
DROPPED, LINEARISED = int(SentFlag.DROPPED), int(SentFlag.LINEARISED)
COMPLETED = int(SentFlag.COMPLETED)
TOLD = LINEARISED | int(SentFlag.INTACT)
CHECKSUM_PARTIAL = 3  # include/linux/skbuff.h
MILLI_US = 1000
# There are few that differ, and they are not made a hundred thousand times.
_shared = lru_cache(maxsize=4096)(Sighting)


def read_sightings(delivery: Delivery) -> Iterator[Sighting]:
    """What both ends saw of each packet.

    Raises DriverFailed if the device stood still, MeasurementError if an end lost count.
    """
    delivery.send_report.require_all_given("the sender")
    if overflow := delivery.arrival_report.overflow:
        raise MeasurementError(f"the receiver had no room for {overflow}")
    yield from sight_all(delivery)


def sight_all(delivery: Delivery) -> Iterator[Sighting]:
    """The same of a batch of which some may never come back to their sender."""
    some_held = delivery.send_report.outstanding > 0
    late = find_late(delivery)
    silences = find_silences(delivery)
    for found in delivery.fates:
        landing = landing_of(found)
        if landing is Landing.WHOLE and found.index in late:
            landing = Landing.LATE
        yield _shared(
            landing=landing,
            dropped=bool(found.sent.flags & DROPPED),
            linearised=_linearised(found),
            form=_form(found.arrivals, landing),
            held=some_held and found.sent.held,
            first_bad_offset=_first_bad_offset(found) if landing is Landing.DAMAGED else None,
            silence=silences.get(found.index, NO_SILENCE),
            remade=_is_remade(found),
        )


def allow_overtaking(
    layouts: Sequence[Layout], sightings: Iterable[Sighting]
) -> Iterator[Sighting]:
    """The same where a vif has several queues: nobody promises then that flows keep their order.

    A composed packet of UDP over IPv6 has a flow label of its own, which makes it a flow.
    """
    for layout, sighting in zip(layouts, sightings, strict=True):
        overtaken = layout.protocol is Protocol.UDP6 and sighting.landing is Landing.LATE
        yield _on_its_own(sighting) if overtaken else sighting


@lru_cache(maxsize=4096)
def _on_its_own(sighting: Sighting) -> Sighting:
    return replace(sighting, landing=Landing.WHOLE)


def find_late(delivery: Delivery) -> Collection[int]:
    """The packets of which something came behind a later one of the same protocol."""
    protocols = [layout.protocol for layout in delivery.batch.layouts]
    latest: dict[Protocol, int] = {}
    late = set()
    for arrival in delivery.arrival_report.arrivals:
        place = arrival.place
        if place == NO_INDEX or arrival.duplicate:
            continue
        if place < latest.get(protocols[place], 0):
            late.add(place)
        else:
            latest[protocols[place]] = place
    return late


def find_silences(delivery: Delivery) -> Mapping[int, Silence]:
    """How long the receiver had had nothing before a packet, where it is a millisecond or more.

    That of a packet which came in parts is the longest before any of them. Before the first to
    come it is for how much longer that was under way than the quickest.
    """
    arrivals, delays = delivery.arrival_report.arrivals, delivery.host_delays
    spans = [(earlier.time_us, later) for earlier, later in pairwise(arrivals)]
    if arrivals:
        spans.append((arrivals[0].time_us - _late_us(delivery), arrivals[0]))
    silences: dict[int, Silence] = {}
    for since_us, later in spans:
        silence_ms = (later.time_us - since_us) // MILLI_US
        if silence_ms > silences.get(later.place, NO_SILENCE).silence_ms:
            host_ms = delays.within_ms(since_us, later.time_us)
            silences[later.place] = Silence(silence_ms=silence_ms, host_ms=host_ms)
    return silences


def _late_us(delivery: Delivery) -> int:
    """For how much longer the first to come was under way than the quickest, as both ends tell.

    Their clocks begin at moments of their own: only differences of ways are known.
    """
    sent, arrivals = delivery.send_report.sent, delivery.arrival_report.arrivals
    ways_us = [
        arrival.time_us - sent[arrival.place].submit_us
        for arrival in arrivals
        if arrival.place != NO_INDEX
    ]
    return ways_us[0] - min(ways_us) if arrivals[0].place != NO_INDEX else 0


def landing_of(found: Fate) -> Landing:
    """In what state a packet came to its sink."""
    if found.complete:
        return Landing.WHOLE
    if found.missing:
        return Landing.MISSING
    if not all(arrival.intact for arrival in found.arrivals):
        return Landing.DAMAGED
    return Landing.DOUBLED if found.duplicated else Landing.PARTIAL


def _form(arrivals: Sequence[Arrival], landing: Landing) -> Form | None:
    if landing not in {Landing.WHOLE, Landing.LATE} or len(arrivals) != 1:
        return None
    (only,) = arrivals
    return Form(
        head_bytes=only.headlen_bytes,
        gso_size_bytes=only.gso_size_bytes,
        blank=only.summed == CHECKSUM_PARTIAL,
        frags=only.frags,
        listed=only.listed,
    )


def _linearised(found: Fate) -> bool | None:
    if not found.sent.flags & TOLD or not _is_paged(found.layout):
        return None
    return bool(found.sent.flags & LINEARISED)


def _is_remade(found: Fate) -> bool:
    return found.sent.flags & (COMPLETED | TOLD) == COMPLETED and _is_paged(found.layout)


def _is_paged(layout: Layout) -> bool:
    return any(frag.size_bytes for frag in layout.frags)


def _first_bad_offset(found: Fate) -> int | None:
    bad = (arrival.first_bad for arrival in found.arrivals)
    return next((offset for offset in bad if offset != NO_INDEX), None)
