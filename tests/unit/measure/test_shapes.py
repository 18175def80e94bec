"""Shapes of packets out of the tables of the kernel's events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from xenlab.errors import MeasurementError
from xenlab.measure.readings import Growth, Table, Tally
from xenlab.measure.shapes import (
    CHECKSUMS,
    FORMS,
    IPV4,
    IPV6,
    LENGTHS,
    PAGES,
    Cut,
    Form,
    Quantity,
    Shapes,
    Spot,
    Stage,
    read_shapes,
    table_of,
)

SENT = Spot(node="alice", device="eth0", stage=Stage.SENT)
RECEIVED = Spot(node="dom0", device="vif1.0", stage=Stage.RECEIVED)
DELIVERED = Spot(node="bob", device="eth0", stage=Stage.DELIVERED)


def growth(spot: Spot, views: Mapping[str, Mapping[Any, int]]) -> Growth:
    tables: dict[str, Table] = {
        table_of(spot.stage, spot.device, view): {
            tuple(map(str, key)): Tally(hits=hits) for key, hits in rows.items()
        }
        for view, rows in views.items()
    }
    return Growth(node=spot.node, counters={}, tables=tables, missing={})


def test_lengths_are_those_of_the_wire_on_both_sides_of_a_ring() -> None:
    tables: dict[str, Mapping[Any, int]] = {
        FORMS: {(1514, 0, IPV4): 3, (65226, 1448, IPV4): 2},
        CHECKSUMS: {(IPV4, 3): 5},
    }
    received: dict[str, Mapping[Any, int]] = {
        FORMS: {(1500, 0, IPV4): 3, (65212, 1448, IPV4): 2},
        CHECKSUMS: {(IPV4, 3): 5},
    }
    pages = {(1514, 0, 1): 3, (65226, 65160, 45): 2}

    sent = read_shapes(growth(SENT, {**tables, PAGES: pages}), SENT)
    taken = read_shapes(growth(RECEIVED, received), RECEIVED)

    assert sent.forms == taken.forms
    assert sent.packets == 5
    assert {quantity: sent.measure(quantity) for quantity in Quantity} == {
        Quantity.GSO_LENGTH: 65226,
        Quantity.GSO_SEGMENTS: 45,
        Quantity.GSO_PACKETS: 2,
        Quantity.WIRE_LENGTH: 1514,
        Quantity.LENGTH: 65226,
        Quantity.PARTIAL4: 5,
        Quantity.PARTIAL6: 0,
        Quantity.PAGED: 2,
    }


def test_only_what_a_device_has_left_to_sum_up_is_partial() -> None:
    checksums = {(IPV4, 0): 7, (IPV4, 1): 2, (IPV6, 3): 4}

    shapes = read_shapes(growth(RECEIVED, {FORMS: {}, CHECKSUMS: checksums}), RECEIVED)

    assert (shapes.measure(Quantity.PARTIAL4), shapes.measure(Quantity.PARTIAL6)) == (0, 4)


def test_delivered_packets_have_lengths_and_nothing_else() -> None:
    shapes = read_shapes(growth(DELIVERED, {LENGTHS: {(1500,): 4, (2948,): 1}}), DELIVERED)

    assert shapes.measure(Quantity.LENGTH) == 2962
    assert shapes.packets == 5


def test_nothing_seen_measures_nothing_and_a_missing_table_is_an_error() -> None:
    assert {Shapes().measure(quantity) for quantity in Quantity} == {0}
    with pytest.raises(MeasurementError, match="did not count sent by eth0, checksums"):
        read_shapes(growth(SENT, {FORMS: {}}), SENT)


def test_cut_makes_of_each_gso_packet_its_segments() -> None:
    headers = 14 + 20 + 32
    forms = (
        Form(packets=9, length_bytes=66, protocol=IPV4),
        Form(packets=2, length_bytes=headers + 2897, gso_size_bytes=1448, protocol=IPV4),
        Form(packets=1, length_bytes=headers + 20 + 14280, gso_size_bytes=1428, protocol=IPV6),
    )
    shapes = Shapes(forms=forms)

    assert Cut().count(shapes) == 9 + 2 * 3 + 10
    assert Cut(from_bytes=4096).count(shapes) == 9 + 2 + 10
    assert Cut(protocols=frozenset({IPV4})).count(shapes) == 9 + 2 * 3 + 1


def test_gso_packet_of_an_unknown_protocol_cannot_be_counted() -> None:
    form = Form(packets=1, length_bytes=3000, gso_size_bytes=1448, protocol=0x8100)

    with pytest.raises(MeasurementError, match="0x8100"):
        _ = form.segments
