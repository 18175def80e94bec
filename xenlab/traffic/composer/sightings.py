"""Sightings: what both ends of a batch saw of each packet, as layouts are judged by it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise

from xenlab.errors import MeasurementError
from xenlab.measure.layouts import Landing, Sighting
from xenlab.slots.layout import Protocol
from xenlab.traffic.composer.delivery import Delivery, Fate
from xenlab.traffic.composer.results import Arrival
from xenlab.traffic.composer.wire import NO_INDEX, SentFlag


def read_sightings(delivery: Delivery) -> Iterator[Sighting]:
    """What both ends saw of each packet. Raises MeasurementError if one lost count."""
    report = delivery.send_report
    if report.error or report.outstanding or delivery.arrival_report.overflow:
        raise MeasurementError(
            f"the sender ended with errno {report.error} and {report.outstanding} skbs still out,"
            f" and the receiver had no room for {delivery.arrival_report.overflow}"
        )
    yield from sight_all(delivery)


def sight_all(delivery: Delivery) -> Iterator[Sighting]:
    """The same of a batch of which some may never come back to their sender."""
    late = find_late(delivery)
    silences_us = find_silences(delivery.arrival_report.arrivals)
    for found in delivery.fates:
        landing = landing_of(found)
        if landing is Landing.WHOLE and found.index in late:
            landing = Landing.LATE
        bad = (arrival.first_bad for arrival in found.arrivals)
        yield Sighting(
            landing=landing,
            dropped=bool(found.sent.flags & SentFlag.DROPPED),
            linearised=_linearised(found),
            first_bad_offset=next((offset for offset in bad if offset != NO_INDEX), None),
            silence_us=silences_us.get(found.index, 0),
        )


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
        latest[protocols[place]] = max(place, latest.get(protocols[place], 0))
    return late


def find_silences(arrivals: Sequence[Arrival]) -> Mapping[int, int]:
    """How long the receiver had had nothing before each packet, in microseconds."""
    silences_us: dict[int, int] = {}
    for earlier, later in pairwise(arrivals):
        silence_us = later.time_us - earlier.time_us
        silences_us[later.place] = max(silence_us, silences_us.get(later.place, 0))
    return silences_us


def landing_of(found: Fate) -> Landing:
    """In what state a packet came to its sink."""
    if found.missing:
        return Landing.MISSING
    if not all(arrival.intact for arrival in found.arrivals):
        return Landing.DAMAGED
    if found.duplicated:
        return Landing.DOUBLED
    return Landing.WHOLE if found.complete else Landing.PARTIAL


def _linearised(found: Fate) -> bool | None:
    flags = found.sent.flags
    paged = found.layout.length_bytes > found.layout.linear_bytes
    if not paged or not flags & (SentFlag.LINEARISED | SentFlag.INTACT):
        return None
    return bool(flags & SentFlag.LINEARISED)
