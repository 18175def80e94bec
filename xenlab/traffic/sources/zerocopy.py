"""Zerocopy: layouts as datagrams that a socket sends from its own compound pages."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from xenlab.errors import MeasurementError
from xenlab.guest.reading import XLFLOW
from xenlab.measure.flow import FlowSpec, Transport, UdpFlow
from xenlab.measure.layouts import Landing, Sighting
from xenlab.measure.measurement import Measurement
from xenlab.plan.model import Link
from xenlab.slots.layout import ETHERNET_HEADER_BYTES, Checksum, Layout, Protocol
from xenlab.slots.limits import MIN_MAX_SKB_FRAGS, Limits
from xenlab.slots.pages import count_grants
from xenlab.traffic.flow import FlowBudget, FlowSource
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.measuring import measure_link
from xenlab.traffic.settings import VIF_MTU_MAX_BYTES
from xenlab.traffic.sources.keeping import keeping_told, patience_words
from xenlab.traffic.sources.tool import (
    XLSOURCE,
    Letter,
    SourceAccount,
    encode_layouts,
    parse_account,
    require_taken,
)
from xenlab.transport.shell import Shell

PORT = 20010
# LL_RESERVED_SPACE() of an Ethernet device less its header: where __ip_append_data() and
# packet_snd() begin, in a buffer that kmalloc() aligns to its own size.
HEADROOM_BYTES = 2
LIMITS = Limits(headroom_bytes=HEADROOM_BYTES)
# As many datagrams of the largest size as a receiver holds that reads nothing.
BATCH_PACKETS = 120

# $@: words of xlsource; all three in one command, for each costs more than the datagrams do.
SEND = f'{XLFLOW} counters </dev/null && {XLSOURCE} "$@" && {XLFLOW} counters </dev/null'


def fits_zerocopy(layout: Layout) -> bool:
    """Whether a socket can send it: headers alone in the head, and data in every frag.

    The kernel takes as many pages as there are frags left: the last one has to be in one page
    (net/core/datagram.c, __zerocopy_sg_from_iter).
    """
    frags = layout.frags
    udp = layout.protocol in {Protocol.UDP4, Protocol.UDP6}
    if not udp or layout.gso_size_bytes or layout.checksum is not Checksum.PARTIAL:
        return False
    if layout.linear_bytes != layout.protocol.header_bytes or not frags:
        return False
    if layout.length_bytes - ETHERNET_HEADER_BYTES > VIF_MTU_MAX_BYTES or not all(
        frag.size_bytes for frag in frags
    ):
        return False
    if len(frags) == MIN_MAX_SKB_FRAGS:
        last = frags[-1]
        return count_grants(last.offset_bytes, last.size_bytes) == 1
    return len(frags) < MIN_MAX_SKB_FRAGS


@dataclass(slots=True, kw_only=True)
class Zerocopy:
    """A LayoutSource, and what was measured of each run of it: for the rules of flows.

    The path has to be as wide as it can be: see settings.path_widened().
    """

    batch_packets: int = BATCH_PACKETS
    measurements: list[Measurement] = field(default_factory=list)

    def send(
        self, lab: LabHandle, link: Link, layouts: Sequence[Layout], seed: int
    ) -> Iterator[Sighting]:
        """See LayoutSource. All layouts are of one protocol.

        Raises DriverFailed where a packet is not given back.
        """
        spec = _spec_of(link, layouts, seed)
        patience = patience_words(lab)
        accounts: list[SourceAccount] = []

        def send(source: Shell, specs: Sequence[FlowSpec], budget: FlowBudget) -> Sequence[bytes]:
            (flow,) = specs
            lines = _run(source, [*patience, flow.argument], layouts, budget)
            accounts.append(parse_account(f"xlsource of {flow}", lines[1], len(layouts)))
            return lines

        how = FlowSource(send=send, mtu_bytes=VIF_MTU_MAX_BYTES)
        with keeping_told(lab, link):
            measurement = measure_link(lab, link, [spec], how)
        self.measurements.append(measurement)
        (account,) = accounts
        require_taken(f"xlsource of {spec}", account)
        (flow,) = measurement.flows
        assert isinstance(flow, UdpFlow)
        return read_sightings(flow, account)


def read_sightings(flow: UdpFlow, account: SourceAccount) -> Iterator[Sighting]:
    """What both ends saw of each datagram. Raises MeasurementError where not all are named."""
    damaged = {damage.index for damage in flow.damages}
    missing = set(flow.missing_indexes)
    if len(missing) != flow.missing or len(damaged) != flow.corrupt + flow.truncated:
        raise MeasurementError(f"{flow.spec}: the receiver did not name all that it missed")
    for index, letter in enumerate(account.letters):
        landing = Landing.WHOLE
        if index in missing:
            landing = Landing.MISSING
        elif index in damaged:
            landing = Landing.DAMAGED
        yield Sighting(landing=landing, dropped=False, linearised=letter is Letter.COPIED)


def _spec_of(link: Link, layouts: Sequence[Layout], seed: int) -> FlowSpec:
    if any(one.protocol is not other.protocol for one, other in pairwise(layouts)):
        raise ValueError("layouts of several protocols are no one flow")
    ip4 = layouts[0].protocol is Protocol.UDP4
    return FlowSpec(
        transport=Transport.UDP,
        address=link.sink_address4 if ip4 else link.sink_address6,
        port=PORT,
        seed=zlib.crc32(f"{link.source}>{link.sink}:{seed}".encode()),
        sizes_bytes=tuple(each.length_bytes - each.linear_bytes for each in layouts),
    )


def _run(
    source: Shell, words: Sequence[str], layouts: Sequence[Layout], budget: FlowBudget
) -> Sequence[bytes]:
    timeout_ms = str(int(budget.deadline.remaining_s * 500))
    argv = ["zerocopy", "--timeout-ms", timeout_ms, *words]
    done = source.run_script(SEND, *argv, deadline=budget.deadline, stdin=encode_layouts(layouts))
    return done.require_success().stdout.splitlines()
