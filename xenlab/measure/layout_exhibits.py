"""A run of layouts as the report shows it: slots by what became of them, and where packets went."""

from __future__ import annotations

from collections import Counter

from xenlab.measure.attachment import Attachment
from xenlab.measure.flow_account import (
    FlowAccount,
    NamedLoss,
    Payload,
    named_losses,
    passages_of,
    stations_of,
)
from xenlab.measure.layouts import Landing, LayoutRun, Sighting
from xenlab.measure.slot_histogram import SlotHistogram, build_histogram
from xenlab.slots.fate import Fate
from xenlab.slots.limits import Limits

PACKETS = "packets"
UNHARMED = frozenset({Landing.WHOLE, Landing.LATE, Landing.DOUBLED})


def seen_fate(foretold: Fate, sighting: Sighting) -> Fate:
    """What became of a packet, by what was seen: foretold only where nothing contradicts it."""
    if sighting.dropped:
        return Fate.DROPPED
    if sighting.landing not in UNHARMED:
        return foretold if foretold is Fate.VIF_DISABLED else Fate.LOST
    if sighting.linearised:
        return Fate.LINEARISED
    linear = foretold is Fate.LINEARISED and sighting.linearised is False
    return foretold if foretold.arrives and not linear else Fate.INTACT


def show_run(
    run: LayoutRun, source: Attachment, subject: str, limits: Limits
) -> tuple[SlotHistogram | FlowAccount, ...]:
    """Both pictures of a run. Without a netfront at its source there is none to be had.

    Towards a guest a packet's slots are its length's and not its layout's.
    """
    if run.counted is None:
        return ()
    return show_slots(run, subject, limits), show_way(run, source, subject)


def show_slots(run: LayoutRun, subject: str, limits: Limits) -> SlotHistogram:
    """Packets by the ring slots of their layouts, and by what was seen of them."""
    rows = zip(run.slots, run.fates, run.sightings, strict=True)
    packets = Counter((slots, seen_fate(fate, sighting)) for slots, fate, sighting in rows)
    return build_histogram(subject, packets, limits)


def show_way(run: LayoutRun, source: Attachment, subject: str) -> FlowAccount:
    """Every device on the way, from the driver of the source to the sink."""
    landings = run.landings
    refused = sum(sighting.dropped for sighting in run.sightings)
    device = f"{source.node} {source.device}"
    drops = (NamedLoss(place=f"{device} tx_dropped", packets=refused),) if refused else ()
    return FlowAccount(
        subject=subject,
        source=device,
        sink=run.sink,
        wire_packets=len(run.layouts),
        stations=stations_of(run.way.account),
        passages=passages_of(run.way.account),
        source_drops=drops + named_losses(run.way.first_drops),
        sink_drops=named_losses(run.way.last_drops),
        payloads=(
            Payload(
                unit=PACKETS,
                sent=len(run.layouts),
                intact=sum(landings[landing] for landing in UNHARMED),
                damaged=landings[Landing.DAMAGED] + landings[Landing.PARTIAL],
                missing=landings[Landing.MISSING],
                duplicates=landings[Landing.DOUBLED],
                reordered=landings[Landing.LATE],
            ),
        ),
        vanished=(),
        told=False,
    )
