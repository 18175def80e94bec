"""Every fault of a packet is seen in its fate: what is missing, damaged, doubled or half there."""

from __future__ import annotations

import errno
from collections.abc import Sequence

import pytest

from tests.unit.traffic.composer.flows import batch_of
from xenlab.errors import DriverFailed, MeasurementError
from xenlab.plan.model import DOM0
from xenlab.slots.layout import Frag, Layout, Protocol
from xenlab.traffic.composer import wire
from xenlab.traffic.composer.batch import Order
from xenlab.traffic.composer.delivery import Delivery, Fate, require_patience
from xenlab.traffic.composer.results import parse_arrivals, parse_sent
from xenlab.traffic.composer.wire import ArrivalFlag, End, SentFlag

TCP = Layout(
    linear_bytes=54,
    linear_offset_bytes=64,
    frags=(Frag(order=0, offset_bytes=0, size_bytes=3000),),
    protocol=Protocol.TCP4,
    gso_size_bytes=1448,
)
WELL = SentFlag.GIVEN | SentFlag.COMPLETED | SentFlag.INTACT

Piece = tuple[int, int, int]


def answer_sent(*flags: int, error: int = 0) -> bytes:
    head = (wire.SENT_MAGIC, wire.VERSION, wire.SENT_SUMMARY.size, len(flags), len(flags))
    records = b"".join(wire.SENT.pack(each, 0, 1, 0, 0, 10, 20) for each in flags)
    return wire.SENT_SUMMARY.pack(*head, 0, 100, 50, error) + records


def answer_arrivals(pieces: Sequence[Piece], end: End = End.COMPLETE) -> bytes:
    """Each piece: offset in the payload, payload bytes, flags."""
    head = (wire.ARRIVAL_MAGIC, wire.VERSION, wire.ARRIVAL_SUMMARY.size, len(pieces))
    records = b"".join(
        wire.ARRIVAL.pack(0, 54 + size, 54, start, wire.NO_INDEX, 0, flags, 1, 0, 3, 2, 5)
        for start, size, flags in pieces
    )
    return wire.ARRIVAL_SUMMARY.pack(*head, 0, 0, 1, 0, 0, 0, end, 77) + records


def fate_of(*pieces: Piece) -> Fate:
    delivery = Delivery(
        batch=batch_of(Order(layout=TCP)),
        send_report=parse_sent(answer_sent(WELL)),
        arrival_report=parse_arrivals(answer_arrivals(pieces)),
    )
    return next(delivery.fates)


PART = ArrivalFlag.IS_PART


@pytest.mark.parametrize(
    "pieces",
    [
        [(0, 3000, 0)],
        [(0, 1448, PART), (1448, 1448, PART), (2896, 104, PART)],
        [(1448, 1552, PART), (0, 1448, PART)],
    ],
)
def test_whole_packet_and_all_its_segments_in_any_order_are_complete(pieces: list[Piece]) -> None:
    fate = fate_of(*pieces)

    assert fate.complete
    assert not fate.missing


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [(0, 2999, PART)],
        [(0, 1448, PART), (1449, 1551, PART)],
        [(0, 1448, PART), (1447, 1553, PART)],
        [(0, 3000, ArrivalFlag.BAD_PAYLOAD)],
        [(0, 3000, ArrivalFlag.BAD_SEGMENTS)],
        [(0, 3000, 0), (0, 3000, ArrivalFlag.DUPLICATE)],
        [(0, 3001, 0)],
    ],
)
def test_anything_missing_damaged_doubled_or_too_much_is_not_complete(pieces: list[Piece]) -> None:
    assert not fate_of(*pieces).complete


def test_lost_packet_is_missing_and_a_doubled_one_is_duplicated() -> None:
    assert fate_of().missing
    assert fate_of((0, 3000, 0), (0, 3000, ArrivalFlag.DUPLICATE)).duplicated


def test_packet_that_the_driver_dropped_was_not_accepted() -> None:
    report = parse_sent(answer_sent(WELL, WELL | SentFlag.DROPPED, SentFlag.OMITTED))

    assert [sent.accepted for sent in report.sent] == [True, False, False]


def test_device_that_stands_still_fails_and_another_end_of_the_sender_says_nothing() -> None:
    parse_sent(answer_sent(WELL)).require_all_given("alice")
    with pytest.raises(DriverFailed, match="took 1 of 1 packets and stands still"):
        parse_sent(answer_sent(WELL, error=errno.ETIMEDOUT)).require_all_given("alice")
    with pytest.raises(MeasurementError, match="errno 100"):
        parse_sent(answer_sent(WELL, error=errno.ENETDOWN)).require_all_given("alice")


def test_packet_whose_paged_data_was_gone_was_linearised() -> None:
    report = parse_sent(answer_sent(WELL, SentFlag.GIVEN | SentFlag.LINEARISED))

    assert [sent.linearised for sent in report.sent] == [False, True]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        answer_sent(WELL)[:-1],
        answer_sent(WELL) + b"\0",
        answer_arrivals([(0, 3000, 0)]),
        b"\0" + answer_sent(WELL)[1:],
    ],
)
def test_what_is_no_answer_of_the_sender_is_never_read_as_one(answer: bytes) -> None:
    with pytest.raises(MeasurementError, match="sender"):
        parse_sent(answer)


def test_cut_answer_of_the_receiver_is_refused() -> None:
    with pytest.raises(MeasurementError, match="receiver"):
        parse_arrivals(answer_arrivals([(0, 3000, 0)])[:-1])


@pytest.mark.parametrize("end", [End.IDLE, End.TIMEOUT])
def test_receiver_whose_time_was_up_says_nothing_of_what_is_missing(end: End) -> None:
    report = parse_arrivals(answer_arrivals([(0, 3000, 0)], end))
    with pytest.raises(MeasurementError, match=f"dom0: .* up .{end.name}. with 1 of 7 packets"):
        require_patience(DOM0, report, 7)


@pytest.mark.parametrize("end", [End.COMPLETE, End.FINISHED, End.DEVICE_GONE])
def test_receiver_that_knows_the_end_is_believed(end: End) -> None:
    require_patience(DOM0, parse_arrivals(answer_arrivals([], end)), 7)
