"""Many layouts at once come out as each of them alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.slots.layouts import UNHURRIED, layouts, of_slots
from xenlab.slots.bulk import BATCH, FATES, NOT_FORETOLD, predict_bulk
from xenlab.slots.columns import LayoutColumns
from xenlab.slots.fate import Fate, Prediction, predict
from xenlab.slots.layout import Frag, Layout, parse_layout
from xenlab.slots.limits import FROM_PAGE_START, Limits
from xenlab.slots.series import COPY, NEGOTIATED, REPACK, limits_with

LIMITS = st.builds(
    Limits,
    backend_max_skb_frags=st.sampled_from([17, 18, 20, 45]),
    frontend_slots=st.sampled_from([17, 18, 19, 21, 51, 256]),
    backend_slots=st.sampled_from([10, 18, 18, 18, 30]),
    fatal_skb_slots=st.sampled_from([0, 20, 20, 30]),
    max_skb_frags=st.sampled_from([17, 45]),
    headroom_bytes=st.sampled_from([0, 64, 4090, 4096, FROM_PAGE_START]),
    gso_max_size_bytes=st.sampled_from([65536, 9000]),
    scatter_gather=st.sampled_from([True, True, True, False]),
) | st.sampled_from(
    [limits_with(*ends) for ends in ((COPY, "stock"), (REPACK, "stock"), (NEGOTIATED, NEGOTIATED))]
)


def _frags(one: Prediction) -> int:
    if one.fate is Fate.RELOCATED:
        return NOT_FORETOLD
    return len(one.acceptance.frags) if one.acceptance else 0


def assert_equal(many: list[Layout], limits: Limits) -> None:
    bulk = predict_bulk(LayoutColumns.of(many), limits)

    assert len(bulk.fates) == len(many)
    for place, layout in enumerate(many):
        one = predict(layout, limits)
        told = (
            FATES[bulk.fates[place]],
            bulk.counted_slots[place],
            bulk.slots[place],
            bulk.headlen_bytes[place],
            bulk.frags[place],
            bulk.tx_zerocopy_sent[place],
        )
        expected = (
            one.fate,
            one.sending.counted_slots,
            one.sending.slots,
            one.acceptance.headlen_bytes if one.acceptance else 0,
            _frags(one),
            one.counters.tx_zerocopy_sent,
        )
        assert told == expected, layout


@UNHURRIED
@given(st.lists(layouts(max_frags=25), max_size=5), LIMITS)
def test_many_layouts_come_out_as_each_alone(many: list[Layout], limits: Limits) -> None:
    assert_equal(many, limits)


@UNHURRIED
@given(st.lists(layouts(max_frags=25, most=300), max_size=5), LIMITS)
def test_many_small_layouts_come_out_as_each_alone(many: list[Layout], limits: Limits) -> None:
    assert_equal(many, limits)


def test_both_sides_of_128_bytes_in_two_slots_come_out_as_each_alone() -> None:
    tail: tuple[Frag, ...] = (Frag(order=1, offset_bytes=4000, size_bytes=200),)
    tail += (Frag(order=0, offset_bytes=0, size_bytes=100),) * 15
    many = [
        Layout(
            linear_bytes=first,
            linear_offset_bytes=offset,
            frags=(Frag(order=0, offset_bytes=0, size_bytes=second), *tail),
        )
        for first in (14, 64, 126, 127, 128, 129)
        for second in (1, 2, 63, 64, 65, 114, 115)
        for offset in (0, 4000, 4082, 4095)
    ]

    assert_equal(many, Limits(frontend_slots=256))


@pytest.mark.parametrize("fatal", [0, 18, 19, 20, 30])
@pytest.mark.parametrize("frontend", [17, 18, 19, 256])
def test_both_sides_of_every_limit_come_out_as_each_alone(fatal: int, frontend: int) -> None:
    firsts = (13, 14, 127, 128, 129, 4096)
    many = [of_slots(slots, first) for slots in range(1, 36) for first in firsts]

    assert_equal(many, Limits(fatal_skb_slots=fatal, frontend_slots=frontend))


@pytest.mark.parametrize("headroom", [64, 4090, FROM_PAGE_START])
def test_bounced_layouts_of_every_number_of_slots_come_out_as_each_alone(headroom: int) -> None:
    many = [of_slots(slots, first) for slots in range(1, 36) for first in (13, 14, 129, 4096)]

    assert_equal(many, Limits(bounces=True, headroom_bytes=headroom))


def test_edges_of_length_and_of_empty_frags_come_out_as_each_alone() -> None:
    seventeen = ",".join(["1:4090:3760"] * 17)
    texts = [f"lin={linear}@0 frag={seventeen}" for linear in (1614, 1615, 1616)]
    texts += [f"lin={linear}@4083" for linear in (65534, 65535, 65536)]
    texts += ["lin=65535@4000 frag=0:1:0,0:1:0", "lin=42@1000 frag=2:0:16384"]
    texts += [f"lin=3000@0 gso=1 proto={proto}" for proto in ("tcp4", "tcp6", "udp4")]

    assert_equal([parse_layout(text) for text in texts], Limits())


@pytest.mark.parametrize("headroom", [64, 4090, FROM_PAGE_START])
@pytest.mark.parametrize("frags", [17, 45])
def test_both_sides_of_the_room_behind_the_tail_come_out_as_each_alone(
    headroom: int, frags: int
) -> None:
    astride = (Frag(order=1, offset_bytes=4095, size_bytes=2),) * 17
    many = [
        Layout(linear_bytes=linear, linear_offset_bytes=offset, frags=astride)
        for end in (3328, 3776, 7424, 7872)
        for offset in (0, 63, 64, 65, 1000, 4090)
        for linear in (end - offset - 35, end - offset - 34, end - offset, end - offset + 1)
        if linear > 0
    ]

    assert_equal(many, Limits(headroom_bytes=headroom, max_skb_frags=frags))


def test_layouts_of_more_than_one_batch_keep_their_order() -> None:
    one = Layout(linear_bytes=42, linear_offset_bytes=0)
    other = Layout(linear_bytes=42, linear_offset_bytes=4090)
    bulk = predict_bulk(LayoutColumns.of([one] * (BATCH + 1) + [other]))

    assert len(bulk.fates) == BATCH + 2
    assert bulk.count(Fate.INTACT) == BATCH + 1
    assert FATES[bulk.fates[-1]] is Fate.BOUNCED
