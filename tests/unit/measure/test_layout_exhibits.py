"""A run of layouts as pictures show it: what was seen, and not what was foretold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.measure.accounts import ALICE, way_through
from xenlab.measure.layout_exhibits import seen_fate, show_run, show_slots, show_way
from xenlab.measure.layouts import Landing, LayoutCounters, LayoutRun, Sighting
from xenlab.slots.boundaries import layouts_of_slots
from xenlab.slots.fate import Fate
from xenlab.slots.limits import STOCK

(LAYOUT,) = layouts_of_slots(20, 1)
WHOLE = Sighting(landing=Landing.WHOLE, dropped=False, linearised=False)
GONE = Sighting(landing=Landing.MISSING, dropped=False, linearised=None)
COUNTED = LayoutCounters(frontend_tx_dropped=0, tx_frag_overflow=0, tx_zerocopy_sent=0)
RUN = LayoutRun(
    source="alice", sink="bob", layouts=(LAYOUT,) * 3, slots=(18, 19, 20),
    fates=(Fate.INTACT, Fate.OVERFLOW, Fate.LOST), sightings=(WHOLE, WHOLE, GONE),
    expected=COUNTED, counted=COUNTED, way=way_through(2, alice_tx_packets=3),
)  # fmt: skip


@pytest.mark.parametrize(
    ("foretold", "sighting", "seen"),
    [
        (Fate.INTACT, WHOLE, Fate.INTACT),
        (Fate.BOUNCED, WHOLE, Fate.BOUNCED),
        (Fate.OVERFLOW, WHOLE, Fate.OVERFLOW),
        (Fate.LOST, WHOLE, Fate.INTACT),
        (Fate.LINEARISED, WHOLE, Fate.INTACT),
        (Fate.LINEARISED, replace(WHOLE, linearised=None), Fate.LINEARISED),
        (Fate.INTACT, replace(WHOLE, linearised=True), Fate.LINEARISED),
        (Fate.INTACT, GONE, Fate.LOST),
        (Fate.INTACT, replace(WHOLE, landing=Landing.DAMAGED), Fate.LOST),
        (Fate.VIF_DISABLED, GONE, Fate.VIF_DISABLED),
        (Fate.LOST, replace(GONE, dropped=True), Fate.DROPPED),
    ],
)
def test_fate_is_what_was_seen(foretold: Fate, sighting: Sighting, seen: Fate) -> None:
    assert seen_fate(foretold, sighting) is seen


def test_slots_and_fates_are_counted() -> None:
    histogram = show_slots(RUN, "alice -> dom0, edges", STOCK)

    assert histogram.subject == "alice -> dom0, edges"
    assert [(count.ring_slots, count.fate, count.packets) for count in histogram.counts] == [
        (18, Fate.INTACT, 1), (19, Fate.OVERFLOW, 1), (20, Fate.LOST, 1)
    ]  # fmt: skip


def test_packet_lost_without_a_counter_is_seen_between_netfront_and_vif() -> None:
    account = show_way(RUN, ALICE, "alice -> dom0")

    assert [station.packets for station in account.stations] == [3, 2, 2, 2]
    assert (account.passages[0].lost, account.passages[0].silent) == (1, 1)
    (payload,) = account.payloads
    assert (payload.sent, payload.intact, payload.missing) == (3, 2, 1)
    assert account.troubled


def test_without_a_netfront_at_the_source_there_is_nothing_to_show() -> None:
    assert len(show_run(RUN, ALICE, "alice -> dom0", STOCK)) == 2
    assert show_run(replace(RUN, counted=None, expected=None), ALICE, "dom0 -> alice", STOCK) == ()
