"""What is wrong with the way of a run's packets: each loss with its hop, each counter that lies."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat

from xenlab.measure.attachment import Role
from xenlab.measure.hops import Hop
from xenlab.measure.layouts import Landing, LayoutRun
from xenlab.measure.path import Point
from xenlab.slots.fate import Fate
from xenlab.verdict.loss import tell_drops, tell_hidden_drops, tell_hop, tell_miscount


def tell_way(run: LayoutRun) -> Iterator[str]:
    """Every hop that lost or made packets beyond what is foretold, from the sender to the sink.

    Where every packet met the fate that it must and nothing was dropped, a count that is not right
    is the counter's own fault, and said to be so.
    """
    if run.way.unrest:
        yield f"the way never came to rest: {run.way.unrest}"
    dropped = run.way.first_drops or run.way.last_drops or any(tell_hidden_drops(_hops(run)))
    if _all_came(run) and not dropped:
        yield from _lying_counters(run)
        for hop in _hops(run):
            yield from tell_miscount(hop)
        return
    yield from _before(run)
    foretold = _foretold_losses(run)
    for hop in _hops(run):
        yield from tell_hop(hop, foretold)
        if hop.surplus:
            yield f"{hop.surplus} packets more at {hop.end} than at {hop.start} ({hop.packets_in})"
        foretold = 0
    yield from tell_hidden_drops(_hops(run))
    yield from _behind(run)


def _all_came(run: LayoutRun) -> bool:
    """Whether each packet came once, or not at all where it must not."""
    return all(
        (sighting.landing is Landing.MISSING) == (not fate.arrives)
        and sighting.landing is not Landing.DOUBLED
        for fate, sighting in zip(run.fates, run.sightings, strict=True)
    )


def _lying_counters(run: LayoutRun) -> Iterator[str]:
    account = run.way.account
    counts: list[tuple[Point, int]] = [(hop.end, hop.packets_out) for hop in account.hops]
    if account.hops:
        counts.insert(0, (account.hops[0].start, account.packets_in))
    for index, (point, count) in enumerate(counts):
        must = _passing(run, point, foretold=bool(index))
        if count != must:
            yield f"{point} counted {count} {point.side}, and {must} passed it: its counter lies"


def _passing(run: LayoutRun, point: Point, *, foretold: bool) -> int:
    """How many packets a device must have counted, and a NIC the frames that they became."""
    frames = run.frames if point.role is Role.NIC else ()
    lost = (Fate.LOST, Fate.VIF_DISABLED) if foretold else ()
    return sum(
        each
        for each, fate, sighting in zip(frames or repeat(1), run.fates, run.sightings, strict=False)
        if fate not in lost and not sighting.dropped
    )


def _before(run: LayoutRun) -> Iterator[str]:
    """Between the sender and the first device that counts."""
    sent, counted = _sent(run), run.way.account.packets_in
    yield from tell_drops(run.way.first_drops)
    silent = sent - counted - sum(drop.packets for drop in run.way.first_drops)
    if silent > 0:
        yield f"silent loss between the sender and {_ends(run)[0]}: {silent} of {sent} packets"
    if counted > sent:
        yield f"{counted - sent} packets more at {_ends(run)[0]} than were sent ({sent})"


def _behind(run: LayoutRun) -> Iterator[str]:
    """Between the last device that counts and the receiver."""
    yield from tell_drops(run.way.last_drops)
    counted = run.way.account.packets_out
    lost = max(0, _sent(run) - run.way.account.packets_in) + sum(hop.lost for hop in _hops(run))
    refused = sum(sighting.dropped for sighting in run.sightings)
    missing = run.landings[Landing.MISSING] - refused - lost
    silent = missing - sum(drop.packets for drop in run.way.last_drops)
    if silent > 0:
        yield f"silent loss between {_ends(run)[1]} and its receiver: {silent} of {counted} packets"


def _hops(run: LayoutRun) -> tuple[Hop, ...]:
    return run.way.account.hops


def _ends(run: LayoutRun) -> tuple[Point, Point]:
    hops = _hops(run)
    return hops[0].start, hops[-1].end


def _sent(run: LayoutRun) -> int:
    """What no driver refused."""
    return sum(not sighting.dropped for sighting in run.sightings)


def _foretold_losses(run: LayoutRun) -> int:
    """What netback must lose of a guest's packets, between the first two counters."""
    return run.count(Fate.LOST) + run.count(Fate.VIF_DISABLED)
