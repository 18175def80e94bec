"""Measurements of flows from alice to bob in which only what a test names is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tests.unit.measure.accounts import ALICE, BOB, deltas, through
from xenlab.measure.flow import Flow, FlowSpec, TcpFlow, Transport, UdpFlow
from xenlab.measure.measurement import Measurement, build_measurement
from xenlab.measure.path import build_path

DATAGRAMS = 60
STREAM_BYTES = 100_000


def udp(**changes: object) -> UdpFlow:
    """60 datagrams of 1000 bytes, all well but for the changes."""
    spec = FlowSpec(
        transport=Transport.UDP,
        address="10.0.0.2",
        port=20000,
        seed=1,
        sizes_bytes=(1000,) * DATAGRAMS,
    )
    flow = UdpFlow(
        spec=spec,
        sent=DATAGRAMS,
        errors=(),
        received=DATAGRAMS,
        intact=DATAGRAMS,
        corrupt=0,
        truncated=0,
        missing=0,
        duplicates=0,
        foreign=0,
        reordered=0,
        missing_indexes=(),
        damages=(),
        ended="complete",
        sender_ended="complete",
    )
    return replace(flow, **changes)  # type: ignore[arg-type]


def tcp(**changes: object) -> TcpFlow:
    """A stream of 100,000 bytes, all well but for the changes."""
    spec = FlowSpec(
        transport=Transport.TCP, address="10.0.0.2", port=20001, seed=1, sizes_bytes=(STREAM_BYTES,)
    )
    flow = TcpFlow(
        spec=spec,
        sent_bytes=STREAM_BYTES,
        errors=(),
        received_bytes=STREAM_BYTES,
        bad_bytes=0,
        first_bad_offset=-1,
        sender_ended="complete",
        receiver_ended="complete",
    )
    return replace(flow, **changes)  # type: ignore[arg-type]


def lost(count: int) -> UdpFlow:
    """The 60 datagrams, of which the last so many are missing."""
    arrived = DATAGRAMS - count
    return udp(
        received=arrived,
        intact=arrived,
        missing=count,
        missing_indexes=tuple(range(arrived, DATAGRAMS)),
        ended="idle",
    )


def measured(*flows: Flow, counted: Mapping[str, int] | None = None) -> Measurement:
    """The flows with these counters, or with those of as many packets at every hop."""
    found = deltas(ALICE, BOB, through(DATAGRAMS) if counted is None else counted)
    return build_measurement(build_path(ALICE, BOB), flows, found, mtu_bytes=1500)
