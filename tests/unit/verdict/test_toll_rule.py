"""The rule of the toll: each count that can be another than the model's, and each lost packet."""

from __future__ import annotations

from dataclasses import replace

import pytest

from xenlab.measure.toll import Toll, TollCounts, TollMeter, TollRound
from xenlab.slots.fate import predict
from xenlab.slots.layout import Frag, Layout
from xenlab.slots.limits import Limits
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.toll import judge_toll, judge_untaxed

PACKETS = 50
WITHIN = Frag(order=1, offset_bytes=0, size_bytes=2000)
ACROSS = Frag(order=1, offset_bytes=3096, size_bytes=2000)
UNLIMITED = Limits(frontend_slots=64)


def toll_of(frags: tuple[Frag, ...], elapsed_us: tuple[int, ...]) -> Toll:
    """A toll in which everything was counted as the model says."""
    layout = Layout(linear_bytes=200, linear_offset_bytes=0, frags=frags)
    accepted = predict(layout, UNLIMITED).acceptance
    assert accepted is not None
    nothing = TollCounts(
        packets=PACKETS, frag_overflow=0, frag_lists=0, zerocopy_sent=0, zerocopy_ended=0,
        copies=0, maps=0, lost=0,
    )  # fmt: skip
    rounds = tuple(
        TollRound(packets=PACKETS, elapsed_us=each, busy_ns=2 * each, lost=0) for each in elapsed_us
    )
    toll = Toll(layout=layout, accepted=accepted, counts=nothing, rounds=rounds)
    return replace(toll, counts=toll.expected)


PLAIN = toll_of((WITHIN,) * 17, (100, 100, 100))
TAXED = toll_of((ACROSS, *(WITHIN,) * 16), (150, 160, 900))
COUNTED = [name for name in TollCounts.__dataclass_fields__ if name != "packets"]
METER = TollMeter(subject="alice -> dom0", plain=PLAIN, taxed=TAXED)


def test_packets_of_19_slots_overflow_each_and_those_of_18_never() -> None:
    assert PLAIN.counts == TollCounts(
        packets=50, frag_overflow=0, frag_lists=0, zerocopy_sent=50, zerocopy_ended=50, copies=50,
        maps=850, lost=0,
    )  # fmt: skip
    assert TAXED.counts == TollCounts(
        packets=50, frag_overflow=50, frag_lists=50, zerocopy_sent=100, zerocopy_ended=100,
        copies=50, maps=900, lost=0,
    )  # fmt: skip


def test_what_is_as_foretold_passes_with_its_numbers() -> None:
    verdict = judge_toll(METER)

    assert verdict.outcome is Outcome.PASS
    assert verdict.numbers["frag_overflow_per_thousand"] == 1000
    assert verdict.numbers["maps_per_thousand"] == 18000
    assert verdict.numbers["time_percent_of_control"] == 160
    assert verdict.numbers["cpu_percent_of_control"] == 160
    assert "0 overflowed, with 50 copies, 850 mappings" in verdict.control


@pytest.mark.parametrize("name", COUNTED)
@pytest.mark.parametrize("kind", ["plain", "taxed"])
def test_count_that_is_off_by_one_fails(kind: str, name: str) -> None:
    toll = {"plain": PLAIN, "taxed": TAXED}[kind]
    wrong = replace(toll.counts, **{name: getattr(toll.counts, name) + 1})

    lying = replace(toll, counts=wrong)
    plain, taxed = (lying, TAXED) if kind == "plain" else (PLAIN, lying)
    verdict = judge_toll(replace(METER, plain=plain, taxed=taxed))

    slots = toll.accepted.slots
    is_, must = getattr(wrong, name), getattr(toll.counts, name)
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == (f"T = {slots}: {name} of 50 packets is {is_}, not {must}",)


def test_packet_lost_in_a_timed_round_fails() -> None:
    rounds = (*TAXED.rounds[:2], replace(TAXED.rounds[2], lost=1))

    assert judge_toll(replace(METER, taxed=replace(TAXED, rounds=rounds))).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("meter", "reason"),
    [
        (replace(METER, taxed=PLAIN), "do not differ"),
        (replace(METER, plain=TAXED), "do not differ"),
        (
            TollMeter(subject="", plain=replace(PLAIN, rounds=()), taxed=replace(TAXED, rounds=())),
            "no round took time",
        ),
    ],
)
def test_what_cannot_be_compared_says_nothing(meter: TollMeter, reason: str) -> None:
    verdict = judge_toll(meter)

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert any(reason in each for each in verdict.reasons)


def test_dom0_with_room_for_every_packet_is_a_skip_that_says_so() -> None:
    verdict = judge_untaxed("alice -> dom0", Limits(backend_max_skb_frags=45))

    assert verdict.outcome is Outcome.SKIP
    assert verdict.reasons == ("dom0's MAX_SKB_FRAGS is 45: no packet has a frag_list",)
    bounced = judge_untaxed("alice -> dom0", Limits(bounces=True))
    assert "copies every packet" in bounced.reasons[0]
