"""The rules of a load: each way in which packets, bytes or slots can be wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.measure.accounts import ALICE, BOB, Counted, deltas, through
from xenlab.measure.hops import Drop, account_hops, read_drops
from xenlab.measure.load import (
    Arrivals,
    Load,
    LoadSpec,
    RingUse,
    account_load,
    between_devices,
    find_overruns,
)
from xenlab.measure.path import DropCounter, build_path
from xenlab.slots.pktgen import PktgenFrame
from xenlab.verdict.load import judge_load, judge_load_slots
from xenlab.verdict.outcome import Outcome

PACKETS = 100
SPEC = LoadSpec(frame=PktgenFrame(size_bytes=4031), packets=PACKETS)
ARRIVALS = Arrivals(marked_pkts=PACKETS, marked_bytes=PACKETS * 4017, other_pkts=0)
REFUSED = DropCounter(node="alice", device="eth0", counter="tx_dropped")


def load_of(counted: Counted, arrivals: Arrivals = ARRIVALS) -> Load:
    grown = deltas(ALICE, BOB, counted)
    return Load(
        source="alice", sink="bob", device="eth0", device_queues=1, spec=SPEC,
        generated_pkts=PACKETS, refused=0, elapsed_us=10_000,
        account=account_hops(between_devices(build_path(ALICE, BOB)), grown),
        source_drops=read_drops([REFUSED], grown), filtered=(), arrivals=arrivals,
        from_guest=RingUse(vif="vif1.0", slots={0: 2 * PACKETS}),
        to_guest=RingUse(vif="vif2.0", slots={0: PACKETS}),
    )  # fmt: skip


GOOD = load_of(through(PACKETS))


def less(packets: int) -> Arrivals:
    return Arrivals(marked_pkts=packets, marked_bytes=packets * 4017, other_pkts=0)


def of_many_bytes(load: Load) -> Load:
    """The same with packets of which a vif keeps 9 before it refuses one."""
    frame = PktgenFrame(size_bytes=65531)
    marked_bytes = load.arrivals.marked_pkts * (65531 - 14)
    arrivals = replace(load.arrivals, marked_bytes=marked_bytes)
    return replace(load, spec=replace(load.spec, frame=frame), arrivals=arrivals)


def refused(packets: int) -> Load:
    """That many dropped by the vif of the sink, and by its queue."""
    came = PACKETS - packets
    drops = {"dom0 vif2.0 qdisc_drops": 3, "dom0 vif2.0 tx_dropped": packets - 3}
    return load_of(through(PACKETS, vif2=came, bob=came) | drops, less(came))


def queue_lost_all() -> Load:
    """A vif whose queue stands still, with nothing in it."""
    drops = {"dom0 vif2.0 qdisc_drops": PACKETS}
    return load_of(through(PACKETS, vif2=0, bob=0) | drops, less(0))


def test_device_of_one_queue_says_nothing_of_several() -> None:
    one, several = (
        judge_load_slots(replace(GOOD, device_queues=queues)).control for queues in (1, 2)
    )

    assert one.startswith("eth0 has one queue: nothing is said of several; vif1.0 queue 0: ")
    assert several.startswith("vif1.0 queue 0: ")


def test_load_of_which_all_arrived_passes_and_says_how_fast_it_was() -> None:
    verdict = judge_load(GOOD)

    assert verdict.outcome is Outcome.PASS
    assert verdict.numbers["packets_a_second"] == 10_000
    assert (verdict.numbers["queues"], verdict.numbers["device_queues"]) == (1, 1)
    assert verdict.numbers["kbit_a_second"] == 322_480
    assert judge_load_slots(GOOD).outcome is Outcome.PASS
    assert not account_load(GOOD).troubled


def test_what_a_full_vif_refused_is_told_and_is_no_failure() -> None:
    for packets in (10, 91):
        verdict = judge_load(of_many_bytes(refused(packets)))

        assert (verdict.outcome, verdict.numbers["overruns"]) == (Outcome.PASS, packets)


@pytest.mark.parametrize(
    "load", [refused(10), *map(of_many_bytes, (refused(92), refused(PACKETS), queue_lost_all()))]
)
def test_vif_that_refuses_what_it_has_room_for_fails(load: Load) -> None:
    verdict = judge_load(load)

    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons[0].startswith("vif2.0 or its qdisc refused")


def test_vif_of_the_source_has_no_excuse() -> None:
    counted = through(PACKETS, vif2=99, bob=99) | {"dom0 vif1.0 tx_dropped": 1}

    verdict = judge_load(of_many_bytes(load_of(counted, less(99))))

    assert verdict.outcome is Outcome.FAIL


def test_overruns_are_those_of_one_vif_and_of_no_other_counter() -> None:
    places = [("vif2.0", "tx_dropped"), ("vif2.0", "qdisc_drops"), ("vif2.0", "rx_dropped"),
              ("vif1.0", "tx_dropped")]  # fmt: skip
    drops = tuple(
        Drop(place=DropCounter(node="dom0", device=device, counter=counter), packets=1)
        for device, counter in places
    )

    assert find_overruns(drops, "vif2.0") == drops[:2]
    assert find_overruns(drops, "") == ()


def test_what_a_filter_dropped_is_no_overrun() -> None:
    load = load_of(through(PACKETS, vif2=90) | {"dom0 vif2.0 qdisc_drops": 10}, less(90))
    place = DropCounter(node="dom0", device="vif2.0", counter="filter_drops")

    verdict = judge_load(of_many_bytes(replace(load, filtered=(Drop(place=place, packets=4),))))

    assert (verdict.outcome, verdict.numbers["overruns"]) == (Outcome.FAIL, 6)
    assert verdict.reasons == ("loss at dom0 vif2.0 filter_drops 4",)


@pytest.mark.parametrize(
    ("load", "reason"),
    [
        (replace(GOOD, generated_pkts=99), "pktgen made 99 packets of 100"),
        (replace(GOOD, refused=2), "refused 2 packets"),
        (load_of(through(98), less(98)), "silent loss between pktgen and alice eth0: 2 of 100"),
        (load_of(through(99) | {"alice eth0 tx_dropped": 1}, less(99)), "loss at alice eth0 tx_d"),
        (load_of(through(PACKETS, vif2=99), less(99)), "silent loss between vif1.0 and vif2.0: 1"),
        (
            load_of(through(PACKETS, vif2=99) | {"dom0 vif2.0 rx_dropped": 1}, less(99)),
            "loss at dom0 vif2.0 rx_dropped 1",
        ),
        (load_of(through(PACKETS, vif2=101), less(101)), "1 packets more behind vif1.0 and vif2.0"),
        (load_of(through(PACKETS), less(99)), "silent loss between bob's device and its filter: 1"),
        (
            load_of(through(PACKETS), replace(less(99), other_pkts=1)),
            "1 packets arrived without pktgen's mark",
        ),
        (load_of(through(PACKETS), replace(ARRIVALS, marked_bytes=7)), "have 7 bytes, not 401700"),
        (replace(GOOD, elapsed_us=0), "which the driver does not give back"),
        (replace(GOOD, unrest="vif1.0 queue 0: 2 pending"), "never came to rest: vif1.0 queue 0"),
    ],
)
def test_packet_that_is_missing_or_damaged_or_too_many_fails(load: Load, reason: str) -> None:
    verdict = judge_load(load)

    assert verdict.outcome is Outcome.FAIL
    assert any(reason in each for each in verdict.reasons), verdict.reasons


@pytest.mark.parametrize(
    ("uses", "reason"),
    [
        (
            {"from_guest": RingUse(vif="vif1.0", slots={0: 199})},
            "vif1.0 queue 0 took 199 slots from its guest, not 200",
        ),
        (
            {"from_guest": RingUse(vif="vif1.0", slots={0: 200, 1: 1})},
            "vif1.0 queue 1 took 1 slots from its guest, not 0",
        ),
        (
            {"to_guest": RingUse(vif="vif2.0", slots={0: 60, 1: 41})},
            "vif2.0 filled 101 slots for its guest, not 100",
        ),
    ],
)
def test_slot_too_many_or_too_few_fails(uses: dict[str, RingUse], reason: str) -> None:
    load = Load(**{**{name: getattr(GOOD, name) for name in GOOD.__dataclass_fields__}, **uses})

    verdict = judge_load_slots(load)

    assert (verdict.outcome, verdict.reasons) == (Outcome.FAIL, (reason,))


def test_queues_take_turns() -> None:
    fair = replace(
        GOOD,
        spec=replace(SPEC, queues=2),
        from_guest=RingUse(vif="vif1.0", slots={0: 100, 1: 100}),
    )
    unfair = replace(fair, from_guest=RingUse(vif="vif1.0", slots={0: 200, 1: 0}))

    assert judge_load_slots(fair).outcome is Outcome.PASS
    assert judge_load_slots(unfair).outcome is Outcome.FAIL


def test_rings_that_nothing_went_through_say_nothing() -> None:
    still = RingUse(vif="vif1.0", slots={0: 0})

    verdict = judge_load_slots(replace(GOOD, from_guest=still, to_guest=None))

    assert verdict.outcome is Outcome.INCONCLUSIVE
