"""Observations: what grew, what is missing, and what may be said of it."""

from __future__ import annotations

import pytest

from xenlab.errors import MeasurementError
from xenlab.measure import penalties, probed_slots
from xenlab.measure.freed import NAME, Freeing
from xenlab.measure.observation import Observation, ObservedEnd
from xenlab.measure.penalties import Penalties
from xenlab.measure.probed_slots import read_slot_histogram
from xenlab.measure.readings import Growth, Readings, Table, Tally, subtract


def growth(node: str, tables: dict[str, Table], **counters: int) -> Growth:
    named = {name.replace("__", " "): value for name, value in counters.items()}
    return Growth(node=node, counters=named, tables=tables, missing={"maps": "no such probe"})


def slots_of(first: dict[int, int], further: dict[int, int]) -> Growth:
    tables: dict[str, Table] = {
        probed_slots.FIRST: {(str(users),): Tally(hits=n) for users, n in first.items()},
        probed_slots.FURTHER: {(str(users),): Tally(hits=n) for users, n in further.items()},
    }
    return growth("alice", tables)


def observe(source: Growth, dom0: Growth) -> Observation:
    return Observation(
        from_end=ObservedEnd(node="alice", device="eth0", vif="vif1.0"),
        to_end=ObservedEnd(node="dom0", device="br-lan", vif=""),
        nodes={"alice": source, "dom0": dom0},
    )


@pytest.mark.parametrize(
    ("first", "further", "packets"),
    [
        ({}, {}, {}),
        ({1: 780}, {}, {1: 780}),
        # two packets of three slots, one of two and four of one
        ({1: 7}, {2: 3, 3: 2}, {1: 4, 2: 1, 3: 2}),
        # pktgen holds references of its own
        ({3: 7}, {4: 7, 5: 7}, {3: 7}),
    ],
)
def test_slots_of_a_packet_are_the_references_to_it(
    first: dict[int, int], further: dict[int, int], packets: dict[int, int]
) -> None:
    assert read_slot_histogram(slots_of(first, further)) == packets


@pytest.mark.parametrize(
    ("first", "further"),
    [({1: 5, 2: 5}, {3: 1}), ({1: 1}, {2: 2}), ({}, {2: 1}), ({2: 3}, {2: 3})],
)
def test_slots_that_cannot_be_told_apart_are_not_guessed(
    first: dict[int, int], further: dict[int, int]
) -> None:
    with pytest.raises(MeasurementError, match="alice"):
        read_slot_histogram(slots_of(first, further))


class TestGrowth:
    def read(self, counters: dict[str, int], tables: dict[str, Table] | None = None) -> Readings:
        return Readings(node="dom0", counters=counters, tables=tables or {})

    def test_it_is_the_difference(self) -> None:
        before = self.read({"a": 3}, {"t": {("x",): Tally(hits=1, total=5)}})
        after = self.read({"a": 5}, {"t": {("x",): Tally(hits=3, total=9), ("y",): Tally(hits=1)}})

        grown = subtract(before, after)

        assert grown.counter("a") == 2
        assert grown.table("t") == {("x",): Tally(hits=2, total=4), ("y",): Tally(hits=1)}
        assert (grown.hits("t"), grown.total("t", lambda key: key == ("x",))) == (3, 4)

    def test_what_fell_is_missing_and_never_a_number(self) -> None:
        grown = subtract(self.read({"a": 3}), self.read({"a": 1}))

        with pytest.raises(MeasurementError, match="dom0 did not count a: it fell"):
            grown.counter("a")

    def test_what_was_there_once_only_is_missing(self) -> None:
        grown = subtract(self.read({}), self.read({"a": 1}))

        with pytest.raises(MeasurementError, match="one of two readings only"):
            grown.counter("a")

    def test_what_nobody_read_is_no_zero(self) -> None:
        with pytest.raises(MeasurementError, match="nobody read it"):
            subtract(self.read({}), self.read({})).counter("a")

    def test_reason_of_a_missing_probe_is_told(self) -> None:
        before = Readings(node="dom0", missing={"t": "probe xl/t refused"})

        grown = subtract(before, Readings(node="dom0"))

        with pytest.raises(MeasurementError, match="dom0 did not count t: probe xl/t refused"):
            grown.table("t")


class TestPenalties:
    def test_silent_packets_are_counted_by_their_last_slots(self) -> None:
        responses: Table = {
            ("-1", "4"): Tally(hits=57),
            ("-1", "0"): Tally(hits=3),
            ("0", "0"): Tally(hits=9),
        }
        dom0 = growth("dom0", {penalties.RESPONSES: responses})
        found = Penalties(observation=observe(growth("alice", {}, eth0__tx_packets=6), dom0))

        assert (found.silent_slots, found.silent_packets) == (60, 3)
        assert found.per_thousand(found.silent_packets) == 500

    def test_only_the_transmit_function_linearises(self) -> None:
        pulled: Table = {("xennet_start_xmit",): Tally(hits=4), ("xennet_poll",): Tally(hits=99)}
        found = Penalties(
            observation=observe(growth("alice", {penalties.PULLED: pulled}), growth("dom0", {}))
        )

        assert found.linearised == 4

    def test_what_hangs_on_a_missing_probe_cannot_be_said(self) -> None:
        found = Penalties(observation=observe(growth("alice", {}), growth("dom0", {})))

        for name in ("linearised", "frag_lists", "silent_packets", "copies", "maps", "slots"):
            with pytest.raises(MeasurementError, match="did not count"):
                getattr(found, name)
        assert list(found.observation.missing) == [
            "alice maps: no such probe",
            "dom0 maps: no such probe",
        ]

    def test_end_without_a_vif_has_no_counter_of_one(self) -> None:
        observation = observe(growth("alice", {}), growth("dom0", {}))

        with pytest.raises(MeasurementError, match="dom0 has no vif on this link"):
            observation.sink_vif_counter("tx_frag_overflow")


def test_places_where_packets_are_freed_are_losses_harmless_or_unknown() -> None:
    table: Table = {
        ("net_tx_action", "NOT_SPECIFIED"): Tally(hits=780),
        ("xenvif_tx_build_gops.constprop.0", "NOT_SPECIFIED"): Tally(hits=2),
        ("xenvif_kthread_guest_rx", "NOT_SPECIFIED"): Tally(hits=5),
        ("icmp_rcv", "ICMP_CSUM"): Tally(hits=1),
    }
    observation = observe(growth("alice", {NAME: table}), growth("dom0", {}))

    found = [(freed.symbol, freed.skbs, freed.freeing) for freed in observation.freed("alice")]

    assert found == [
        ("xenvif_kthread_guest_rx", 5, Freeing.LOSS),
        ("icmp_rcv", 1, Freeing.UNKNOWN),
        ("net_tx_action", 780, Freeing.HARMLESS),
        ("xenvif_tx_build_gops.constprop.0", 2, Freeing.HARMLESS),
    ]
    assert [one.skbs for one in observation.losses("alice")] == [5, 1]
    with pytest.raises(MeasurementError, match="dom0 did not count freed"):
        observation.freed("dom0")
