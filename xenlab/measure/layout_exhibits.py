"""A run of layouts as the report shows it: slots by what became of them, and where packets went."""

from __future__ import annotations

from collections import Counter

from xenlab.measure.flow_account import FlowAccount, NamedLoss, Passage, Payload, Station
from xenlab.measure.layouts import Landing, LayoutRun, Sighting
from xenlab.measure.path import Attachment, Role
from xenlab.measure.slot_histogram import SlotHistogram, build_histogram
from xenlab.slots.fate import Fate
from xenlab.slots.limits import STOCK, Limits

PACKETS = "packets"


def seen_fate(foretold: Fate, sighting: Sighting) -> Fate:
    """What became of a packet, by what was seen: foretold only where nothing contradicts it."""
    if sighting.dropped:
        return Fate.DROPPED
    if sighting.landing not in {Landing.WHOLE, Landing.DOUBLED}:
        return foretold if foretold is Fate.VIF_DISABLED else Fate.LOST
    if sighting.linearised:
        return Fate.LINEARISED
    linear = foretold is Fate.LINEARISED and sighting.linearised is False
    return foretold if foretold.arrives and not linear else Fate.INTACT


def show_run(
    run: LayoutRun, source: Attachment, subject: str, limits: Limits = STOCK
) -> tuple[SlotHistogram | FlowAccount, ...]:
    """Both pictures of a run. Without a netfront at its source there is none to be had.

    Towards a guest a packet's slots are its length's and not its layout's, and nobody counts
    between the composer and the vif.
    """
    if run.counted is None:
        return ()
    return show_slots(run, subject, limits), show_way(run, source, subject)


def show_slots(run: LayoutRun, subject: str, limits: Limits = STOCK) -> SlotHistogram:
    """Packets by the ring slots of their layouts, and by what was seen of them."""
    rows = zip(run.slots, run.fates, run.sightings, strict=True)
    packets = Counter((slots, seen_fate(fate, sighting)) for slots, fate, sighting in rows)
    return build_histogram(subject, packets, limits)


def show_way(run: LayoutRun, source: Attachment, subject: str) -> FlowAccount:
    """From the source's netfront to its vif, for there the counters of a run end.

    What a vif refused towards a guest is a drop at the sink.
    """
    landings = run.landings
    damaged = landings[Landing.DAMAGED] + landings[Landing.PARTIAL]
    stations, passages = _stations(run, source)
    refused = sum(sighting.dropped for sighting in run.sightings)
    drops = {f"{source.node} {source.device} tx_dropped": refused}
    return FlowAccount(
        subject=subject,
        source=f"{source.node} {source.device}",
        sink=run.sink,
        wire_packets=len(run.layouts),
        stations=stations,
        passages=passages,
        source_drops=_named(drops),
        sink_drops=_named({f"{vif} tx_dropped": drops for vif, drops in run.vif_drops.items()}),
        payloads=(
            Payload(
                unit=PACKETS,
                sent=len(run.layouts),
                intact=landings[Landing.WHOLE] + landings[Landing.DOUBLED],
                damaged=damaged,
                missing=landings[Landing.MISSING],
                duplicates=landings[Landing.DOUBLED],
                reordered=0,
            ),
        ),
        vanished=(),
    )


def _stations(
    run: LayoutRun, source: Attachment
) -> tuple[tuple[Station, ...], tuple[Passage, ...]]:
    assert run.counted is not None, "show_run() asks"
    sent, came = run.counted.frontend_tx_packets, run.counted.vif_rx_packets
    front = Station(node=source.node, device=source.device, role=Role.NETFRONT, packets=sent)
    vif = Station(node="dom0", device=source.vif, role=Role.VIF, packets=came)
    # Nothing that counts drops lies between the two: see path.py, _drops_before().
    lost = max(0, sent - came)
    passage = Passage(lost=lost, silent=lost, surplus=max(0, came - sent), named=())
    return (front, vif), (passage,)


def _named(drops: dict[str, int]) -> tuple[NamedLoss, ...]:
    return tuple(NamedLoss(place=place, packets=count) for place, count in drops.items() if count)
