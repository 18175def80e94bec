"""What a source in userspace says of its packets, and which layouts it can make at all."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from xenlab.errors import MeasurementError
from xenlab.measure.flow import Damage, DamageKind, FlowSpec, Transport, UdpFlow
from xenlab.measure.layouts import Landing
from xenlab.slots.compound import compound_layouts
from xenlab.slots.layout import Checksum, Frag, Layout, Protocol, parse_layout
from xenlab.slots.pages import count_grants
from xenlab.traffic.composer.wire import SentFlag
from xenlab.traffic.sources.keeping import NotBack
from xenlab.traffic.sources.packets import packet_layout, read_report
from xenlab.traffic.sources.tool import (
    Letter,
    SourceAccount,
    encode_layouts,
    parse_account,
    require_taken,
)
from xenlab.traffic.sources.zerocopy import fits_zerocopy, read_sightings

ANSWER = {
    "schema": 1, "ended": "complete", "letters": "gcg", "blocks": 4, "compound": 4, "errors": {},
}  # fmt: skip
# How one waited that gave up: as long as it should, or until all its time was up.
OUT, FULL, STOPPED = (
    {"letters": "gu"},
    {"letters": "tr", "errors": {"EAGAIN": 1}},
    {"letters": "tr", "errors": {"ENOBUFS": 1}},
)
ONE = Frag(order=3, offset_bytes=4095, size_bytes=2)
DATAGRAM = Layout(linear_bytes=42, linear_offset_bytes=2, frags=(ONE,))
SPEC = FlowSpec(
    transport=Transport.UDP, address="10.0.0.2", port=1, seed=1, sizes_bytes=(10, 10, 10)
)
FLOW = UdpFlow(
    spec=SPEC, sent=3, errors=(), received=3, intact=3, corrupt=0, truncated=0, missing=0,
    duplicates=0, foreign=0, reordered=0, missing_indexes=(), damages=(), ended="complete",
    sender_ended="complete",
)  # fmt: skip


def parse(**changed: object) -> SourceAccount:
    return parse_account("xlsource", json.dumps(ANSWER | changed).encode(), 3)


def test_account_has_a_letter_for_each_packet() -> None:
    assert parse().letters == (Letter.GRANTED, Letter.COPIED, Letter.GRANTED)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"schema": 2}, "schema 2"),
        ({"letters": "gc"}, "3 packets, and 2 accounted for"),
        ({"letters": "gcx"}, "'x'"),
        ({"compound": 3}, "3 of 4 blocks of memory are compound"),
        ({"blocks": "many"}, "blocks is not a whole number"),
    ],
)
def test_account_that_does_not_tell_of_all_is_refused(
    changed: dict[str, object], reason: str
) -> None:
    with pytest.raises(MeasurementError, match=reason):
        parse(**changed)


@pytest.mark.parametrize(
    ("changed", "is_out", "reason"),
    [
        (OUT, True, "the packet behind 1 others is not back in time"),
        (FULL, True, "1 packets were taken, and not given back in time"),
        (STOPPED, False, "1 packets were taken, and no room for more in time"),
    ],
)
def test_packet_that_is_not_back_is_told_from_one_that_found_no_room(
    changed: dict[str, object], is_out: bool, reason: str
) -> None:
    with pytest.raises(NotBack, match=reason) as raised:
        parse(ended="idle", **changed)

    assert raised.value.is_out is is_out


@pytest.mark.parametrize("changed", [OUT, FULL, STOPPED])
def test_time_that_is_up_before_the_patience_says_nothing_about_the_driver(
    changed: dict[str, object],
) -> None:
    """What is still under way then comes to rest a moment later, and would be taken for kept."""
    with pytest.raises(MeasurementError, match="all its time was up, and its patience") as raised:
        parse(ended="timeout", **changed)

    assert not isinstance(raised.value, NotBack)


def test_layout_that_was_never_sent_is_no_result() -> None:
    require_taken("xlsource", parse())

    with pytest.raises(MeasurementError, match="1 packets were refused: 1 EMSGSIZE"):
        require_taken("xlsource", parse(letters="grg", errors={"EMSGSIZE": 1}))


def test_sightings_are_told_by_both_ends() -> None:
    damage = Damage(kind=DamageKind.CORRUPT, index=2, expected_bytes=10, got_bytes=10,
                    first_bad_offset=0, bad_bytes=1)  # fmt: skip
    flow = replace(
        FLOW, received=2, intact=1, corrupt=1, missing=1, missing_indexes=(0,), damages=(damage,)
    )

    seen = list(read_sightings(flow, parse()))

    assert [one.landing for one in seen] == [Landing.MISSING, Landing.WHOLE, Landing.DAMAGED]
    assert [one.linearised for one in seen] == [False, True, False]


@pytest.mark.parametrize("hidden", [{"missing": 1}, {"corrupt": 1}, {"truncated": 1}])
def test_receiver_that_does_not_name_what_it_missed_is_not_guessed_at(
    hidden: dict[str, int],
) -> None:
    with pytest.raises(MeasurementError, match="did not name"):
        list(read_sightings(replace(FLOW, intact=2, **hidden), parse()))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "layout",
    [
        DATAGRAM,
        replace(DATAGRAM, frags=(ONE,) * 16),
        replace(DATAGRAM, frags=(ONE,) * 16 + (Frag(order=0, offset_bytes=0, size_bytes=9),)),
        replace(DATAGRAM, linear_bytes=62, protocol=Protocol.UDP6),
    ],
)
def test_socket_sends_headers_and_frags(layout: Layout) -> None:
    assert fits_zerocopy(layout)


@pytest.mark.parametrize(
    "layout",
    [
        replace(DATAGRAM, linear_bytes=43),
        replace(DATAGRAM, frags=()),
        replace(DATAGRAM, frags=(ONE,) * 17),
        replace(DATAGRAM, frags=(ONE,) * 18),
        replace(DATAGRAM, frags=(ONE, Frag(order=0, offset_bytes=0, size_bytes=0))),
        replace(DATAGRAM, frags=(Frag(order=4, offset_bytes=0, size_bytes=65500),)),
        replace(DATAGRAM, checksum=Checksum.NONE),
        replace(DATAGRAM, linear_bytes=54, protocol=Protocol.TCP4),
        replace(DATAGRAM, linear_bytes=54, protocol=Protocol.TCP4, gso_size_bytes=1448),
    ],
)
def test_socket_cannot_send_what_it_does_not_lay_out(layout: Layout) -> None:
    assert not fits_zerocopy(layout)


def test_frame_is_linear_and_then_in_whole_pages() -> None:
    layout = packet_layout(100, 100 + 4096 + 7)

    assert str(layout) == "lin=100@2 frag=0:0:4096,0:0:7"
    assert packet_layout(60, 60).frags == ()
    with pytest.raises(ValueError, match="is linear"):
        packet_layout(60, 4000)


def test_frames_that_the_driver_did_not_take_are_an_error() -> None:
    account = SourceAccount(
        letters=(Letter.TAKEN, Letter.REFUSED), errors=(("EIO", 1),), blocks=0, compound=0
    )

    report = read_report(account)

    assert (report.given, report.error) == (1, 1)
    assert [bool(one.flags & SentFlag.DROPPED) for one in report.sent] == [False, True]
    assert not any(one.linearised for one in report.sent)


def test_layouts_are_told_a_line_each() -> None:
    layouts = tuple(compound_layouts())

    lines = encode_layouts(layouts).decode().splitlines()

    assert tuple(map(parse_layout, lines)) == layouts
    assert max(map(len, lines)) < 2048, "LINE_BYTES of xlsource/layout.c"


def test_compound_layouts_have_every_order_and_cross_pages_and_do_not() -> None:
    frags = {layout.frags[0] for layout in compound_layouts()}

    assert {frag.order for frag in frags} == set(range(6))
    grants = {count_grants(frag.offset_bytes, frag.size_bytes) for frag in frags}
    assert {1, 2, 3} <= grants
    assert all(layout.length_bytes <= 1000 for layout in compound_layouts(most_bytes=1000)
               if len(layout.frags) > 1)  # fmt: skip
