"""Streams whose packets the network stack lays out: from the page cache, or side by side."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from xenlab.guest.reading import XLFLOW
from xenlab.measure.flow import FlowSpec, Transport
from xenlab.measure.measurement import Measurement
from xenlab.measure.observation import Observation
from xenlab.plan.model import Link
from xenlab.traffic.composer.batch import VIF_WINDOW_KIB
from xenlab.traffic.flow import FlowBudget, FlowSource
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.measuring import measure_link
from xenlab.traffic.observing import observing
from xenlab.traffic.settings import sysctl_set
from xenlab.traffic.sources.tool import XLSOURCE
from xenlab.transport.shell import Shell

PORT = 20020
# Else a packet has what the connection sends in a millisecond, which is little in an emulated one
# (net/ipv4/tcp_output.c, tcp_tso_autosize). 45 segments of 1448 bytes are what 64 KiB hold.
WHOLE_PACKETS = "net.ipv4.tcp_min_tso_segs"
SEGMENTS = "45"
# As a kernel comes, for the first one.
RECEIVE_BUFFERS = "net.ipv4.tcp_rmem"
FIRST_BUFFER_BYTES = 131072
SEND = f'{XLFLOW} counters </dev/null && {XLSOURCE} "$@" && {XLFLOW} counters </dev/null'


class StreamKind(StrEnum):
    """How a stream is written: the verbs of xlsource."""

    SENDFILE = "sendfile"
    SPLICE = "splice"
    INTERLEAVE = "interleave"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamOrder:
    """So many sockets, each written to in turn with so many bytes at once."""

    kind: StreamKind
    write_bytes: int
    writes: int
    sockets: int = 1

    def __str__(self) -> str:
        if self.kind is StreamKind.INTERLEAVE:
            return f"{self.sockets} sockets, {self.write_bytes} bytes at once"
        return str(self.kind)


def observe_streams(
    lab: LabHandle, link: Link, order: StreamOrder
) -> tuple[Measurement, Observation]:
    """Send the streams over a link, with probes and debug lines on; the sink compares every byte.

    Packets are as long as the window lets them. On Linux 6.1 no more are under way than a vif keeps
    for its guest: what it refuses is sent again. Later ones may make more of the same buffers.
    Raises LabError, or MeasurementError where an end cannot say what it saw.
    """

    def send(source: Shell, specs: Sequence[FlowSpec], budget: FlowBudget) -> Sequence[bytes]:
        timeout_ms = str(int(budget.deadline.remaining_s * 500))
        words = [order.kind, "--timeout-ms", timeout_ms, *(spec.argument for spec in specs)]
        done = source.run_script(SEND, *words, deadline=budget.deadline).require_success()
        return done.stdout.splitlines()

    how = FlowSource(send=send)
    with (
        sysctl_set(lab, link.source, WHOLE_PACKETS, SEGMENTS),
        sysctl_set(lab, link.sink, RECEIVE_BUFFERS, _receive_buffers(order)),
        observing(lab, link, probes=True, debug=True) as observer,
    ):
        measurement = measure_link(lab, link, _specs_of(link, order), how)
        return measurement, observer.read()


def _receive_buffers(order: StreamOrder) -> str:
    """The least, first and largest one of a socket, of which half is window (tcp_adv_win_scale)."""
    share_bytes = (2 * VIF_WINDOW_KIB << 10) // order.sockets
    return f"4096 {min(FIRST_BUFFER_BYTES, share_bytes)} {share_bytes}"


def _specs_of(link: Link, order: StreamOrder) -> tuple[FlowSpec, ...]:
    return tuple(
        FlowSpec(
            transport=Transport.TCP,
            address=link.sink_address4,
            port=PORT + place,
            seed=zlib.crc32(f"{link.source}>{link.sink}:{order}:{place}".encode()),
            sizes_bytes=(order.write_bytes,) * order.writes,
        )
        for place in range(order.sockets)
    )
