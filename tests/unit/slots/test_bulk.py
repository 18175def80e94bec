"""Many layouts at once come out as each of them alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.slots.layouts import UNHURRIED, layouts
from xenlab.slots.bulk import BATCH, FATES, predict_bulk
from xenlab.slots.columns import LayoutColumns
from xenlab.slots.fate import Fate, predict
from xenlab.slots.layout import Frag, Layout
from xenlab.slots.limits import FROM_PAGE_START, Limits

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
)


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
            bulk.tx_zerocopy_sent[place],
        )
        expected = (
            one.fate,
            one.sending.counted_slots,
            one.sending.slots,
            one.acceptance.headlen_bytes if one.acceptance else 0,
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


def test_layouts_of_more_than_one_batch_keep_their_order() -> None:
    one = Layout(linear_bytes=42, linear_offset_bytes=0)
    other = Layout(linear_bytes=42, linear_offset_bytes=4090)
    bulk = predict_bulk(LayoutColumns.of([one] * (BATCH + 1) + [other]))

    assert len(bulk.fates) == BATCH + 2
    assert bulk.count(Fate.INTACT) == BATCH + 1
    assert FATES[bulk.fates[-1]] is Fate.BOUNCED
