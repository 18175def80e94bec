"""Counters: what is absent is not zero, and what fell was counted anew."""

from __future__ import annotations

import pytest

from xenlab.errors import MeasurementError
from xenlab.measure.counters import CounterDelta, CounterSnapshot


def snapshot(packets: int, node: str = "bob", **protocols: int) -> CounterSnapshot:
    return CounterSnapshot(
        node=node, devices={"eth0": {"rx_packets": packets}}, protocols=protocols
    )


def test_delta_is_what_was_counted_since() -> None:
    delta = CounterDelta(before=snapshot(3, UdpInDatagrams=1), after=snapshot(10, UdpInDatagrams=1))
    assert delta.device("eth0", "rx_packets") == 7
    assert delta.protocol("UdpInDatagrams") == 0


@pytest.mark.parametrize(
    ("device", "counter", "message"),
    [
        ("eth1", "rx_packets", "bob has no device eth1"),
        ("eth0", "rx_dropped", "bob eth0 does not count rx_dropped"),
    ],
)
def test_absent_device_counter_is_an_error(device: str, counter: str, message: str) -> None:
    delta = CounterDelta(before=snapshot(0), after=snapshot(1))
    with pytest.raises(MeasurementError, match=message):
        delta.device(device, counter)


def test_absent_protocol_counter_is_an_error() -> None:
    with pytest.raises(MeasurementError, match="bob does not count Ip6InDiscards"):
        snapshot(0).protocol("Ip6InDiscards")


def test_counter_that_fell_is_an_error() -> None:
    delta = CounterDelta(before=snapshot(10), after=snapshot(2))
    with pytest.raises(MeasurementError, match="fell by 8: counted anew"):
        delta.device("eth0", "rx_packets")


def test_snapshots_of_two_nodes_make_no_delta() -> None:
    with pytest.raises(ValueError, match="snapshots of bob and of alice"):
        CounterDelta(before=snapshot(0), after=snapshot(1, node="alice"))


def test_device_that_was_there_and_is_no_more_has_vanished() -> None:
    gone = CounterSnapshot(node="bob", devices={}, protocols={})
    assert CounterDelta(before=snapshot(0), after=gone).vanished("eth0")
    assert not CounterDelta(before=gone, after=snapshot(0)).vanished("eth0")
