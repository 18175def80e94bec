"""What becomes of a layout on both sides of every limit, as the drivers' lines say it."""

from __future__ import annotations

import pytest

from tests.unit.slots.layouts import of_slots
from xenlab.errors import InputError
from xenlab.slots.backend import Reception
from xenlab.slots.fate import Counters, Fate, Prediction, predict
from xenlab.slots.frontend import Refusal
from xenlab.slots.layout import Layout, parse_layout
from xenlab.slots.limits import FROM_PAGE_START, Limits
from xenlab.slots.receive import GuestFate, deliver_layout

OPEN = Limits(frontend_slots=256)


def predict_text(text: str, limits: Limits = OPEN) -> Prediction:
    return predict(parse_layout(text), limits)


STOCK_NETBACK = {
    1: (Fate.INTACT, Reception.MAPPED, 0, 1, 0),
    17: (Fate.INTACT, Reception.MAPPED, 0, 1, 0),
    18: (Fate.INTACT, Reception.FIRST_SLOT_COPIED, 0, 1, 0),
    19: (Fate.OVERFLOW, Reception.FRAG_LIST, 1, 2, 0),
    20: (Fate.LOST, Reception.LOST_SLOTS, 0, 0, 20),
    21: (Fate.LOST, Reception.LOST_SLOTS, 0, 0, 21),
    22: (Fate.VIF_DISABLED, Reception.VIF_DISABLED, 0, 0, 0),
    23: (Fate.VIF_DISABLED, Reception.VIF_DISABLED, 0, 0, 0),
}


@pytest.mark.parametrize(("slots", "expected"), STOCK_NETBACK.items())
def test_netback_treats_each_number_of_slots_in_its_own_way(
    slots: int, expected: tuple[Fate, Reception, int, int, int]
) -> None:
    prediction = predict(of_slots(slots), OPEN)
    fate, reception, overflow, zerocopy, errors = expected

    assert prediction.acceptance
    assert prediction.acceptance.slots == slots
    assert (prediction.fate, prediction.acceptance.reception) == (fate, reception)
    assert prediction.counters == Counters(
        frontend_tx_packets=1,
        frontend_tx_dropped=0,
        vif_rx_packets=int(fate.arrives),
        tx_frag_overflow=overflow,
        tx_zerocopy_sent=zerocopy,
        error_responses=errors,
    )


@pytest.mark.parametrize("slots", [20, 22])
def test_what_netback_refuses_is_neither_copied_nor_mapped(slots: int) -> None:
    accepted = predict(of_slots(slots), OPEN).acceptance

    assert accepted
    assert (accepted.copy_operations, accepted.copied_slots, accepted.mapped_slots) == (0, 0, 0)
    assert (accepted.headlen_bytes, accepted.frags) == (0, ())


@pytest.mark.parametrize("slots", range(1, 36))
def test_stock_netfront_linearises_from_19_slots_on(slots: int) -> None:
    prediction = predict(of_slots(slots))

    assert prediction.fate is (Fate.INTACT if slots <= 18 else Fate.LINEARISED)
    assert prediction.sending.counted_slots == slots
    assert prediction.sending.slots == (slots if slots <= 18 else 1)


@pytest.mark.parametrize(("limit", "slots"), [(19, 19), (20, 20), (21, 21), (22, 22)])
def test_slots_up_to_the_limit_of_the_frontend_go_out(limit: int, slots: int) -> None:
    limits = Limits(frontend_slots=limit)

    assert predict(of_slots(slots), limits).sending.slots == slots
    assert predict(of_slots(slots + 1), limits).sending.linearised


@pytest.mark.parametrize(
    ("fatal", "first_fatal", "lost"),
    [(0, 20, []), (17, 20, []), (18, 20, []), (19, 21, [20]), (20, 22, [20, 21]),
     (30, 32, list(range(20, 32)))],
)  # fmt: skip
def test_fatal_skb_slots_counts_what_follows_the_first_slot(
    fatal: int, first_fatal: int, lost: list[int]
) -> None:
    limits = Limits(frontend_slots=256, fatal_skb_slots=fatal)
    fates = {slots: predict(of_slots(slots), limits).fate for slots in range(1, 36)}

    assert min(slots for slots, fate in fates.items() if fate is Fate.VIF_DISABLED) == first_fatal
    assert [slots for slots, fate in fates.items() if fate is Fate.LOST] == lost


@pytest.mark.parametrize(
    ("first", "second", "overflow"),
    [(127, 1, False), (127, 2, True), (64, 64, False), (64, 65, True), (128, 1, True),
     (14, 114, False), (14, 115, True), (129, 1, True), (4096, 1, True)],
)  # fmt: skip
def test_nineteen_slots_fit_without_frag_list_if_two_end_within_128_bytes(
    first: int, second: int, overflow: bool
) -> None:
    tail = ",".join(["1:4000:200"] * 1 + ["0:0:100"] * 15)
    prediction = predict_text(f"lin={first}@0 frag=0:0:{second},{tail}")

    assert prediction.sending.slots == 19
    assert prediction.fate is (Fate.OVERFLOW if overflow else Fate.INTACT)
    assert prediction.counters.tx_zerocopy_sent == (2 if overflow else 1)


def test_dom0_with_45_frags_needs_no_frag_list() -> None:
    limits = Limits(frontend_slots=256, backend_max_skb_frags=45)
    prediction = predict(of_slots(19), limits)

    assert prediction.fate is Fate.INTACT
    assert prediction.acceptance
    assert prediction.acceptance.mapped_slots == 18


@pytest.mark.parametrize(
    ("slots", "first", "headlen", "operations"),
    [(17, 4096, 128, 1), (18, 127, 128, 2), (18, 128, 128, 1), (18, 129, 129, 1),
     (18, 4032, 4032, 1), (18, 4033, 4033, 2), (18, 4096, 4096, 2), (1, 60, 60, 1)],
)  # fmt: skip
def test_first_slot_is_copied_whole_from_18_slots_on(
    slots: int, first: int, headlen: int, operations: int
) -> None:
    accepted = predict(of_slots(slots, first)).acceptance

    assert accepted
    assert (accepted.headlen_bytes, accepted.copy_operations) == (headlen, operations)


@pytest.mark.parametrize(
    ("text", "copied", "mapped", "zerocopy"),
    [("lin=128@0", 1, 0, 0), ("lin=129@0", 0, 1, 1), ("lin=60@0 frag=0:0:60", 2, 0, 0),
     ("lin=60@0 frag=0:0:68", 2, 0, 0), ("lin=60@0 frag=0:0:69", 1, 1, 1)],
)  # fmt: skip
def test_packet_that_fits_the_copy_is_not_counted_as_zerocopy(
    text: str, copied: int, mapped: int, zerocopy: int
) -> None:
    prediction = predict_text(text)

    assert prediction.acceptance
    assert prediction.acceptance.copied_slots == copied
    assert prediction.acceptance.mapped_slots == mapped
    assert prediction.counters.tx_zerocopy_sent == zerocopy


@pytest.mark.parametrize(
    ("offset", "fate"), [(4082, Fate.INTACT), (4083, Fate.BOUNCED), (4095, Fate.BOUNCED)]
)
def test_head_with_less_than_an_ethernet_header_before_the_page_ends_is_bounced(
    offset: int, fate: Fate
) -> None:
    prediction = predict_text(f"lin=42@{offset} frag=0:0:1000")

    assert prediction.fate is fate
    assert prediction.sending.linear_bytes == (1042 if fate is Fate.BOUNCED else 42)
    assert prediction.sending.slots == (1 if fate is Fate.BOUNCED else 3)
    assert prediction.sending.copied == (fate is Fate.BOUNCED)


@pytest.mark.parametrize(
    ("headroom", "fate"),
    [(4082, Fate.BOUNCED), (4083, Fate.LOST), (4095, Fate.LOST), (4096, Fate.BOUNCED)],
)
def test_bounce_keeps_the_headroom(headroom: int, fate: Fate) -> None:
    assert predict_text("lin=42@4090", Limits(headroom_bytes=headroom)).fate is fate


@pytest.mark.parametrize(
    ("text", "slots"),
    [("lin=42@0", 1), ("lin=42@0 frag=0:0:1000,0:0:1000", 1), ("lin=4096@0 frag=1:4000:200", 2)],
)
def test_frontend_that_trusts_nobody_bounces_whatever_it_sends(text: str, slots: int) -> None:
    trusting, bouncing = (predict_text(text, Limits(bounces=bounces)) for bounces in (False, True))

    assert trusting.fate is Fate.INTACT
    assert not trusting.sending.copied
    assert bouncing.fate is Fate.BOUNCED
    assert bouncing.sending.linear_offset_bytes == Limits().headroom_bytes
    assert bouncing.sending.slots == slots


# 34 bytes in 17 frags. One page holds 3776 bytes before skb_shared_info, two hold 7872.
@pytest.mark.parametrize(
    ("linear", "kept_offset", "slots"),
    [(2742, 1000, 1), (2743, 64, 1), (2776, 64, 1), (2777, 1000, 1), (3100, 1000, 2),
     (6838, 1000, 2), (6839, 64, 2)],
)  # fmt: skip
def test_frags_that_fit_behind_the_tail_are_pulled_to_where_the_data_lies(
    linear: int, kept_offset: int, slots: int
) -> None:
    frags = ",".join(["1:4095:2"] * 17)
    sending = predict_text(f"lin={linear}@1000 frag={frags}", Limits()).sending

    assert sending.linearised
    assert (sending.linear_offset_bytes, sending.slots) == (kept_offset, slots)
    assert sending.copied
    assert sending.copy_order == int(linear == 6839)


@pytest.mark.parametrize(("linear", "order"), [(6838, 0), (6839, 2)])
def test_head_that_begins_its_page_has_no_page_before_it(linear: int, order: int) -> None:
    frags = ",".join(["1:4095:2"] * 17)
    limits = Limits(headroom_bytes=FROM_PAGE_START)

    assert predict_text(f"lin={linear}@1000 frag={frags}", limits).sending.copy_order == order


# skb_shared_info of 45 frags takes 768 bytes.
@pytest.mark.parametrize(
    ("linear", "kept_offset"), [(2294, 1000), (2295, 64), (2328, 64), (2329, 1000)]
)
def test_room_behind_the_tail_is_less_where_an_skb_has_45_frags(
    linear: int, kept_offset: int
) -> None:
    frags = ",".join(["1:4095:2"] * 17)
    sending = predict_text(f"lin={linear}@1000 frag={frags}", Limits(max_skb_frags=45)).sending

    assert sending.linear_offset_bytes == kept_offset


def test_what_is_linearised_where_it_lies_may_still_be_bounced() -> None:
    frags = ",".join(["1:4095:2"] * 17)
    prediction = predict_text(f"lin=42@4090 frag={frags}", Limits())

    assert prediction.sending.bounced
    assert (prediction.sending.linear_offset_bytes, prediction.sending.slots) == (64, 1)
    assert prediction.fate is Fate.LINEARISED


@pytest.mark.parametrize(("length", "order"), [(65024, 4), (65025, 5), (28672, 3)])
def test_linearising_asks_for_pages_of_an_order(length: int, order: int) -> None:
    size = (length - 100) // 17
    frags = ",".join([f"2:4095:{size}"] * 17)
    sending = predict_text(f"lin={length - 17 * size}@0 frag={frags}", Limits()).sending

    assert sending.copy_order == order


def test_bounce_does_not_help_a_head_that_begins_its_page_and_has_4083_bytes_of_headroom() -> None:
    limits = Limits(headroom_bytes=FROM_PAGE_START)
    prediction = predict_text("lin=42@4083", limits)

    assert prediction.fate is Fate.LOST
    assert prediction.acceptance
    assert prediction.acceptance.reception is Reception.LOST_SHORT
    assert prediction.counters.error_responses == 2
    assert predict_text("lin=42@4082", limits).fate is Fate.INTACT


@pytest.mark.parametrize(("first", "fate"), [(13, Fate.LOST), (14, Fate.INTACT)])
def test_first_slot_below_an_ethernet_header_is_lost_however_long_the_packet(
    first: int, fate: Fate
) -> None:
    assert predict_text(f"lin={first}@0 frag=0:0:1000").fate is fate


def test_too_many_slots_come_before_a_short_first_one() -> None:
    tail = ",".join(["1:4000:200"] * 5 + ["0:0:100"] * 11)
    prediction = predict_text(f"lin=13@0 frag={tail}")

    assert prediction.fate is Fate.VIF_DISABLED


@pytest.mark.parametrize(("length", "fate"), [(65535, Fate.INTACT), (65536, Fate.DROPPED)])
def test_length_beyond_the_wire_is_dropped_and_counted(length: int, fate: Fate) -> None:
    prediction = predict_text(f"lin={length}@0")

    assert prediction.fate is fate
    assert prediction.counters.frontend_tx_dropped == (fate is Fate.DROPPED)
    assert prediction.counters.frontend_tx_packets == (fate is not Fate.DROPPED)


def test_longest_packet_of_the_wire_is_linearised_and_bounced_like_any() -> None:
    frags = ",".join(["1:4090:3760"] * 17)

    assert predict_text(f"lin=1615@0 frag={frags}", Limits()).fate is Fate.LINEARISED
    assert predict_text("lin=65535@4083").fate is Fate.BOUNCED


@pytest.mark.parametrize(
    ("words", "refused"),
    [("proto=tcp4", False), ("proto=tcp6", False), ("proto=udp4", True), ("proto=udp6", True),
     ("proto=tcp4 csum=none", True)],
)  # fmt: skip
def test_only_tcp_with_its_checksum_left_open_goes_out_as_gso(words: str, refused: bool) -> None:
    sending = predict_text(f"lin=3000@0 gso=1000 {words}").sending

    assert sending.refusal is (Refusal.GSO if refused else Refusal.NONE)
    assert sending.ring_slots == (0 if refused else 2)


@pytest.mark.parametrize(("size", "refused"), [(3001, False), (3000, True)])
def test_gso_packet_stays_below_gso_max_size(size: int, refused: bool) -> None:
    limits = Limits(gso_max_size_bytes=size)

    assert (predict_text("lin=3000@0 gso=9 proto=tcp4", limits).fate is Fate.DROPPED) == refused


def test_segments_of_one_byte_are_segments() -> None:
    sending = predict_text("lin=3000@0 gso=1 proto=tcp4").sending

    assert (sending.slots, sending.extra_slots) == (1, 1)
    assert predict_text("lin=3000@0 gso=1").sending.refusal is Refusal.GSO


@pytest.mark.parametrize(
    ("text", "fate"), [("lin=42@0", Fate.INTACT), ("lin=42@4090", Fate.DROPPED)]
)
def test_without_scatter_gather_one_slot_is_all(text: str, fate: Fate) -> None:
    limits = Limits(scatter_gather=False)

    assert predict_text(text, limits).fate is fate


def test_empty_frags_count_and_make_no_request() -> None:
    counted = predict_text("lin=42@0 frag=0:1:0,0:0:0,3:4096:0,3:8191:0").sending

    assert (counted.counted_slots, counted.slots) == (3, 1)


def test_linear_packet_with_empty_frags_is_never_copied_whatever_is_counted() -> None:
    sending = predict_text("lin=65535@4000 frag=0:1:0,0:1:0", Limits()).sending

    assert (sending.counted_slots, sending.slots, sending.linearised) == (19, 17, False)


def test_empty_frags_alone_can_make_netfront_linearise() -> None:
    frags = ",".join(["0:0:4096"] * 15 + ["0:1:0", "0:1:0"])
    sending = predict_text(f"lin=4000@4000 frag={frags}", Limits()).sending

    assert (sending.counted_slots, sending.linearised) == (19, True)


@pytest.mark.parametrize(
    ("length", "gso", "headroom", "used", "estimated"),
    [(65535, 0, 0, 16, 16), (65535, 1448, 0, 17, 17), (65535, 1448, 256, 20, 17),
     (1500, 0, 256, 2, 1), (1500, 0, 0, 1, 1), (4096, 0, 0, 1, 1), (4097, 0, 0, 2, 2)],
)  # fmt: skip
def test_receive_slots_with_headroom_are_more_than_netback_waits_for(
    length: int, gso: int, headroom: int, used: int, estimated: int
) -> None:
    layout = Layout(linear_bytes=length, linear_offset_bytes=0, gso_size_bytes=gso)
    delivery = deliver_layout(layout, Limits(xdp_headroom_bytes=headroom))

    assert (delivery.used_slots, delivery.estimated_slots) == (used, estimated)
    assert delivery.shortfall_slots == used - estimated


@pytest.mark.parametrize(
    ("length", "headroom", "guest", "delivered", "headlen", "frags"),
    [(13, 0, GuestFate.REJECTED, 0, 0, 0), (14, 0, GuestFate.INTACT, 14, 14, 0),
     (256, 0, GuestFate.INTACT, 256, 256, 0), (257, 0, GuestFate.INTACT, 257, 256, 1),
     (4096, 0, GuestFate.INTACT, 4096, 256, 1), (4097, 0, GuestFate.INTACT, 4097, 256, 2),
     (65535, 0, GuestFate.INTACT, 65535, 256, 16), (69632, 0, GuestFate.INTACT, 69632, 256, 17),
     (69633, 0, GuestFate.REJECTED, 0, 0, 0), (60, 256, GuestFate.PADDED, 316, 256, 1),
     (3584, 256, GuestFate.PADDED, 3840, 256, 1), (3585, 256, GuestFate.REJECTED, 0, 0, 0),
     (3841, 256, GuestFate.REJECTED, 0, 0, 0)],
)  # fmt: skip
def test_guest_gets_a_head_of_256_bytes_and_a_frag_a_slot(
    length: int, headroom: int, guest: GuestFate, delivered: int, headlen: int, frags: int
) -> None:
    layout = Layout(linear_bytes=length, linear_offset_bytes=0)
    delivery = deliver_layout(layout, Limits(xdp_headroom_bytes=headroom))

    assert delivery.guest is guest
    assert (delivery.length_bytes, delivery.headlen_bytes, delivery.frags) == (
        delivered, headlen, frags
    )  # fmt: skip


@pytest.mark.parametrize(
    ("frags", "operations"),
    [
        ("0:0:10", 2),
        ("0:0:0,0:0:10", 3),
        ("0:0:10,0:0:0", 2),
        ("0:0:0", 1),
        ("0:0:0,0:1:0,0:0:9", 4),
    ],
)
def test_empty_frag_takes_a_copy_of_no_bytes_unless_it_is_the_last(
    frags: str, operations: int
) -> None:
    layout = parse_layout(f"lin=42@0 frag={frags}")

    assert deliver_layout(layout).copy_operations == operations


@pytest.mark.parametrize(
    ("length", "guest"), [(73728, GuestFate.INTACT), (73729, GuestFate.REJECTED)]
)
def test_guest_of_45_frags_takes_18_slots(length: int, guest: GuestFate) -> None:
    layout = Layout(linear_bytes=length, linear_offset_bytes=0)

    assert deliver_layout(layout, Limits(max_skb_frags=45)).guest is guest


def test_limits_that_no_kernel_has_are_refused_all_at_once() -> None:
    with pytest.raises(InputError) as caught:
        Limits(max_skb_frags=16, backend_max_skb_frags=46, frontend_slots=0, headroom_bytes=4097)

    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "max_skb_frags", "backend_max_skb_frags", "frontend_slots", "headroom_bytes"
    ]  # fmt: skip
