"""What patched frontends send of a packet of too many slots always fits, and is all of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.unit.slots.layouts import UNHURRIED, of_slots
from xenlab.errors import InputError
from xenlab.slots.fate import Fate, predict
from xenlab.slots.layout import parse_layout
from xenlab.slots.limits import LEGACY_SLOTS, Limits, Relocation
from xenlab.slots.random_layouts import Mix, random_layouts
from xenlab.slots.relocation import COPIED, plan_runs
from xenlab.slots.series import COPY, NEGOTIATED, REPACK, limits_with
from xenlab.slots.worst import worst_layout

PAGE = 4096
RELOCATIONS = pytest.mark.parametrize("series", [COPY, REPACK])


def cost_of_every_plan(sizes: Sequence[int], excess: int) -> Iterator[int]:
    """The bytes of every choice of runs that saves enough, by trying them all."""
    if excess <= 0:
        yield 0
        return
    for start in range(len(sizes)):
        for stop in range(start + 2, len(sizes) + 1):
            taken = sum(sizes[start:stop])
            saved = stop - start + -taken // PAGE
            if saved > 0:
                for rest in cost_of_every_plan(sizes[stop:], excess - saved):
                    yield taken + rest


@RELOCATIONS
@pytest.mark.parametrize("frags", [17, 45])
def test_worst_packet_fits_into_18_slots(series: str, frags: int) -> None:
    limits = limits_with(series, "stock", Limits(max_skb_frags=frags, backend_max_skb_frags=frags))

    prediction = predict(worst_layout(frags, gso=False), limits)

    assert prediction.fate is Fate.RELOCATED
    assert prediction.sending.slots <= LEGACY_SLOTS


@RELOCATIONS
def test_every_packet_fits_into_18_slots_and_is_sent_in_its_order(series: str) -> None:
    limits = limits_with(series, "stock")
    many = islice(random_layouts(20140519, Mix()), 600)
    sendings = [(layout, predict(layout, limits).sending) for layout in many]
    relocated = [each for each in sendings if each[1].relocated and each[1].requests]

    assert len(relocated) > 200
    for layout, sending in relocated:
        assert sending.slots <= LEGACY_SLOTS, layout
        assert sum(each.piece.size_bytes for each in sending.requests) == layout.length_bytes
        granted = [each.frag for each in sending.requests if each.frag != COPIED]
        assert granted == sorted(granted), layout
        assert sending.relocated_bytes <= sum(frag.size_bytes for frag in layout.frags)


@given(
    sizes=st.lists(st.integers(1, PAGE) | st.sampled_from([1, 2, 2048, PAGE]), max_size=9),
    excess=st.integers(1, 5),
)
@UNHURRIED
def test_no_other_choice_of_runs_copies_fewer_bytes(sizes: list[int], excess: int) -> None:
    assume(len(sizes) - -(-sum(sizes) // PAGE) >= excess)

    runs = plan_runs(sizes, excess)

    copied = [sum(sizes[start : start + length]) for start, length in runs]
    assert all(start + length <= later for (start, length), (later, _) in pairwise(runs))
    saved = sum(length for _start, length in runs) - sum(-(-each // PAGE) for each in copied)
    assert saved >= excess
    assert sum(copied) == min(cost_of_every_plan(sizes, excess))


def test_two_bytes_astride_a_page_are_all_that_is_copied_for_one_slot() -> None:
    text = "lin=200@0 frag=" + ",".join(["0:0:4096"] * 8 + ["1:4095:2"] * 2 + ["0:0:4096"] * 7)
    few = predict(parse_layout(text), limits_with(REPACK, "stock")).sending
    whole = predict(parse_layout(text), limits_with(COPY, "stock")).sending

    assert (few.counted_slots, few.slots) == (20, 18)
    assert few.relocated_bytes == 3  # three of these four pieces of a byte fit into one page
    assert whole.relocated_bytes == 15 * 4096 + 4


def test_packet_within_the_limit_is_left_alone() -> None:
    for series in (COPY, REPACK):
        prediction = predict(of_slots(18), limits_with(series, "stock"))

        assert (prediction.fate, prediction.sending.relocated_bytes) == (Fate.INTACT, 0)


def test_packet_that_is_bounced_is_not_repacked() -> None:
    text = "lin=200@4090 frag=" + ",".join(["1:4095:2"] * 17)

    prediction = predict(parse_layout(text), limits_with(REPACK, "stock"))

    assert prediction.fate is Fate.BOUNCED
    assert prediction.sending.slots == 1


class TestNegotiated:
    LIMITS = limits_with(NEGOTIATED, NEGOTIATED)

    @pytest.mark.parametrize(
        ("slots", "fate"),
        [(18, Fate.INTACT), (19, Fate.OVERFLOW), (35, Fate.OVERFLOW)],
    )
    def test_both_ends_take_35_slots(self, slots: int, fate: Fate) -> None:
        assert predict(of_slots(slots), self.LIMITS).fate is fate

    def test_more_is_linearised(self) -> None:
        layout = worst_layout(17, gso=False)

        assert predict(layout, self.LIMITS).fate is Fate.LINEARISED

    @pytest.mark.parametrize("ends", [(NEGOTIATED, "stock"), ("stock", NEGOTIATED)])
    def test_one_end_alone_changes_nothing(self, ends: tuple[str, str]) -> None:
        assert limits_with(*ends) == Limits()

    def test_head_takes_bytes_of_19_slots_at_most(self) -> None:
        text = "lin=42@0 frag=" + ",".join(["1:4095:2"] * 17)

        prediction = predict(parse_layout(text), self.LIMITS)

        assert prediction.acceptance is not None
        assert prediction.acceptance.headlen_bytes == 42 + 18
        assert prediction.acceptance.mapped_slots == 35 - 19
        assert prediction.fate is Fate.INTACT


def test_fewer_slots_than_every_packet_fits_into_are_refused() -> None:
    with pytest.raises(InputError, match="at least 18 with relocation"):
        Limits(frontend_slots=17, relocation=Relocation.REPACK)


def test_series_below_another_still_counts() -> None:
    assert limits_with(f"{REPACK}+mine", "stock") == limits_with(REPACK, "stock")
    joined = limits_with(f"{NEGOTIATED}+mine", f"counters+{NEGOTIATED}")
    assert joined == limits_with(NEGOTIATED, NEGOTIATED)
