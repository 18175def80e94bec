"""The slot model against a count of pages, byte by byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.slots import page_by_page
from tests.unit.slots.layouts import UNHURRIED, layouts, sizes
from xenlab.slots.backend import Reception, accept
from xenlab.slots.fate import Fate, predict
from xenlab.slots.frontend import Refusal, count_slots, send
from xenlab.slots.layout import Frag, Layout, Protocol
from xenlab.slots.limits import FROM_PAGE_START, Limits
from xenlab.slots.pages import Piece, cut_at_pages
from xenlab.slots.receive import GuestFate, deliver_accepted, deliver_layout
from xenlab.slots.worst import worst_layout, worst_slots

OPEN = Limits(frontend_slots=256)


@UNHURRIED
@given(layouts(most=9000, max_frags=45))
def test_netfront_counts_the_pages_that_bytes_lie_in(layout: Layout) -> None:
    assert count_slots(layout) == page_by_page.counted(layout)


@UNHURRIED
@given(layouts(most=9000))
def test_requests_are_the_bytes_of_each_page_in_their_order(layout: Layout) -> None:
    sending = send(layout, OPEN)

    if sending.refusal is Refusal.NONE and not sending.bounced:
        pieces = [request.piece for request in sending.requests]
        assert pieces == page_by_page.requests(page_by_page.buffers(layout))


@UNHURRIED
@given(layouts(), st.sampled_from([0, 64, 4095, 4096, FROM_PAGE_START]))
def test_copied_packet_is_one_buffer_behind_its_headroom(layout: Layout, headroom: int) -> None:
    sending = send(layout, Limits(headroom_bytes=headroom))

    if sending.copied and sending.refusal is Refusal.NONE:
        kept = layout.linear_offset_bytes
        copied = kept if headroom == FROM_PAGE_START else headroom % 4096
        stays = sending.linearised and not sending.bounced and sending.copy_order == 0
        offsets = {copied, kept} if stays else {copied}
        pieces = [request.piece for request in sending.requests]
        assert pieces in [
            page_by_page.requests([page_by_page.addresses(0, offset, layout.length_bytes)])
            for offset in offsets
        ]
        assert sending.slots <= 17


@UNHURRIED
@given(layouts())
def test_requests_carry_every_byte_once_and_the_first_tells_the_length(layout: Layout) -> None:
    sending = send(layout)

    if sending.refusal is Refusal.NONE:
        assert sum(request.piece.size_bytes for request in sending.requests) == layout.length_bytes
        assert sending.requests[0].wire_bytes == layout.length_bytes
        assert all(one.wire_bytes == one.piece.size_bytes for one in sending.requests[1:])
        assert all(one.piece.size_bytes > 0 for one in sending.requests)
        assert sending.ring_slots == sending.slots + (layout.gso_size_bytes > 0)


@UNHURRIED
@given(layouts(most=9000, max_frags=30), st.integers(17, 45))
def test_netback_copies_the_head_and_maps_the_rest(layout: Layout, frags: int) -> None:
    slots = page_by_page.requests(page_by_page.buffers(layout))
    accepted = accept(slots, Limits(backend_max_skb_frags=frags, fatal_skb_slots=30))

    if not accepted.reception.arrives:
        return
    whole = page_by_page.whole_slots(slots, accepted.headlen_bytes)
    assert accepted.copied_slots == whole
    assert accepted.mapped_slots == len(slots) - whole
    assert (accepted.reception is Reception.FRAG_LIST) == (len(slots) - whole > frags)
    foreign = page_by_page.behind_head(slots, accepted.headlen_bytes)
    rest = layout.length_bytes - accepted.headlen_bytes
    local = page_by_page.requests([page_by_page.addresses(0, 0, rest)])
    assert list(accepted.frags) == (local if accepted.frag_overflow else foreign)
    assert accepted.headlen_bytes >= min(layout.length_bytes, 128)
    if accepted.headlen_bytes > 128:
        assert len(slots) >= 18
        assert accepted.headlen_bytes == slots[0].size_bytes


@UNHURRIED
@given(layouts(most=9000), st.sampled_from([0, 1, 256, 2048, 4095]))
def test_guest_slots_and_copies_are_those_of_a_walk_over_the_bytes(
    layout: Layout, headroom: int
) -> None:
    delivery = deliver_layout(layout, Limits(xdp_headroom_bytes=headroom))
    walked = page_by_page.receive_copies(page_by_page.buffers(layout), 4096 - headroom)

    assert (delivery.data_slots, delivery.copy_operations) == walked


@UNHURRIED
@given(layouts())
def test_guest_without_headroom_is_estimated_exactly(layout: Layout) -> None:
    delivery = deliver_layout(layout)

    assert delivery.shortfall_slots == 0
    assert delivery.used_slots == -(-layout.length_bytes // 4096) + (layout.gso_size_bytes > 0)
    if delivery.guest is GuestFate.INTACT:
        assert delivery.length_bytes == layout.length_bytes


@UNHURRIED
@given(layouts())
def test_forwarded_packet_arrives_whole_if_netback_takes_it(layout: Layout) -> None:
    prediction = predict(layout)

    assert (prediction.delivery is not None) == prediction.fate.arrives
    if prediction.delivery and layout.length_bytes >= 14:
        assert prediction.delivery.length_bytes == layout.length_bytes


@UNHURRIED
@given(layouts())
def test_stock_frontend_never_shows_netback_more_than_18_slots(layout: Layout) -> None:
    prediction = predict(layout)

    assert prediction.sending.slots <= 18
    assert prediction.fate not in {Fate.OVERFLOW, Fate.VIF_DISABLED}
    if prediction.fate is Fate.LOST:
        assert prediction.acceptance
        assert prediction.acceptance.reception is Reception.LOST_SHORT


@UNHURRIED
@given(sizes(70000), st.integers(0, 45))
def test_no_layout_takes_more_slots_than_the_worst_case(length: int, frags: int) -> None:
    worst = worst_slots(length, frags)
    astride = min(1 + frags, length // 2)
    built = 0
    for place in range(astride):
        further = (length - 2 * astride) // 4096 * 4096 if place == 0 else 0
        built += len(list(cut_at_pages(4095, 2 + further)))
    odd = int(length % 2 == 1 and astride < 1 + frags)

    assert worst == built + odd


@UNHURRIED
@given(layouts(most=9000, max_frags=45))
def test_every_layout_stays_below_the_worst_case(layout: Layout) -> None:
    if send(layout, OPEN).refusal is Refusal.NONE:
        slots = len(page_by_page.requests(page_by_page.buffers(layout)))
        assert slots <= worst_slots(layout.length_bytes, len(layout.frags))


def test_worst_cases_of_17_and_45_frags() -> None:
    assert worst_slots(65535, 17) == 51
    assert worst_slots(65535, 45) == 107


def test_worst_layout_of_the_source_document_takes_51_slots_and_52_with_gso() -> None:
    long = [Frag(order=3, offset_bytes=4095, size_bytes=4098)] * 15
    short = [Frag(order=1, offset_bytes=4095, size_bytes=2)] * 2
    layout = Layout(
        linear_bytes=70, linear_offset_bytes=4096 - 35, frags=(*long, *short), gso_size_bytes=1448,
        protocol=Protocol.TCP4,
    )  # fmt: skip
    sending = send(layout, OPEN)

    assert layout.length_bytes == 61544
    assert (count_slots(layout), sending.slots, sending.ring_slots) == (51, 51, 52)
    assert send(layout).slots == 16
    assert predict(layout).fate is Fate.LINEARISED


@pytest.mark.parametrize("frags", range(17, 46))
def test_worst_layout_takes_as_many_slots_as_the_worst_case(frags: int) -> None:
    layout = worst_layout(frags)

    assert layout.length_bytes <= 65535
    assert len(layout.frags) == frags
    assert count_slots(layout) == worst_slots(65535, frags)


def test_gso_takes_one_slot_more_than_the_worst_case() -> None:
    assert send(worst_layout(gso=True), OPEN).ring_slots == 52
    assert send(worst_layout(45, gso=True), OPEN).ring_slots == 108


def test_forwarded_head_is_copied_in_two_pieces_where_it_crosses_a_page() -> None:
    slots = [Piece(offset_bytes=0, size_bytes=4096)] + [Piece(offset_bytes=0, size_bytes=10)] * 17
    accepted = accept(slots)

    assert accepted.copy_operations == 2
    assert deliver_accepted(accepted, gso=False).copy_operations == 2 + 17
