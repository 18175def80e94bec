"""Packets without memory: so many of those concerned are lost, and what had counted them has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.measure.accounts import way_through
from xenlab.measure.foretold_loss import has_frag_list, has_plain_head, lose
from xenlab.measure.layouts import Landing, LayoutCounters, LayoutRun, Sighting
from xenlab.slots.fate import Fate, predict
from xenlab.slots.layout import Frag, Layout
from xenlab.slots.limits import LEGACY_SLOTS, Limits

UNLIMITED = Limits(frontend_slots=64, backend_slots=LEGACY_SLOTS)
ARRIVED = Sighting(landing=Landing.WHOLE, dropped=False, linearised=False)
GONE = Sighting(landing=Landing.MISSING, dropped=False, linearised=None)
SMALL = Layout(linear_bytes=100, linear_offset_bytes=0)
PLAIN = Layout(linear_bytes=1000, linear_offset_bytes=0)
ONE = Frag(order=0, offset_bytes=0, size_bytes=200)
OVERFLOWING = Layout(linear_bytes=8192, linear_offset_bytes=0, frags=(ONE,) * 17)


def run_of(*rows: tuple[Layout, Sighting]) -> LayoutRun:
    layouts = tuple(layout for layout, _sighting in rows)
    predictions = [predict(layout, UNLIMITED) for layout in layouts]
    return LayoutRun(
        source="alice", sink="dom0", layouts=layouts, slots=(1,) * len(rows),
        fates=tuple(each.fate for each in predictions),
        sightings=tuple(sighting for _layout, sighting in rows),
        expected=LayoutCounters(frontend_tx_dropped=0, tx_frag_overflow=5, tx_zerocopy_sent=20),
        counted=None, way=way_through(2),
    )  # fmt: skip


def test_packets_are_concerned_by_the_memory_that_they_need() -> None:
    small, plain, overflowing = (
        predict(layout, UNLIMITED) for layout in (SMALL, PLAIN, OVERFLOWING)
    )

    assert [has_plain_head(each) for each in (small, plain, overflowing)] == [False, True, False]
    assert [has_frag_list(each) for each in (small, plain, overflowing)] == [False, False, True]


def test_those_that_are_missing_are_lost_if_they_are_as_many_as_failed() -> None:
    run = run_of((OVERFLOWING, ARRIVED), (PLAIN, ARRIVED), (OVERFLOWING, GONE))

    lost = lose(run, UNLIMITED, has_frag_list, 1, is_counted=False)

    assert lost.fates == (Fate.OVERFLOW, run.fates[1], Fate.LOST)
    assert lost.expected is not None
    assert (lost.expected.tx_frag_overflow, lost.expected.tx_zerocopy_sent) == (4, 18)


def test_what_netback_had_counted_stays_counted() -> None:
    run = run_of((OVERFLOWING, GONE), (PLAIN, ARRIVED))

    assert lose(run, UNLIMITED, has_frag_list, 1, is_counted=True).expected == run.expected


@pytest.mark.parametrize("seen", [(ARRIVED, ARRIVED, ARRIVED), (GONE, GONE, ARRIVED)])
def test_others_than_so_many_are_no_excuse(seen: tuple[Sighting, ...]) -> None:
    run = run_of(*((OVERFLOWING, each) for each in seen))

    lost = lose(run, UNLIMITED, has_frag_list, 1, is_counted=False)

    assert lost.fates == (Fate.LOST, Fate.OVERFLOW, Fate.OVERFLOW)


def test_missing_packet_that_is_not_concerned_is_not_excused() -> None:
    run = run_of((PLAIN, GONE), (OVERFLOWING, ARRIVED))

    lost = lose(run, UNLIMITED, has_frag_list, 1, is_counted=False)

    assert lost.fates == (run.fates[0], Fate.LOST)


def test_run_without_a_netfront_counts_nothing() -> None:
    run = replace(run_of((PLAIN, GONE)), expected=None)

    assert lose(run, UNLIMITED, has_plain_head, 1, is_counted=False).expected is None
