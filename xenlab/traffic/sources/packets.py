"""Packets: layouts that AF_PACKET makes of whole frames, straight to a driver."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from xenlab.measure.layouts import Sighting
from xenlab.plan.model import Link
from xenlab.slots.layout import PAGE_BYTES, Checksum, Frag, Layout, Protocol
from xenlab.traffic.composer.batch import Batch
from xenlab.traffic.composer.results import SendReport, Sent
from xenlab.traffic.composer.wire import SentFlag
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.layouts import Composer
from xenlab.traffic.sources.keeping import keeping_told, patience_words
from xenlab.traffic.sources.tool import (
    XLSOURCE,
    Letter,
    SourceAccount,
    encode_layouts,
    parse_account,
)
from xenlab.traffic.sources.zerocopy import HEADROOM_BYTES
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline

BATCH_PACKETS = 1000
# Without more, a packet is linear: net/packet/af_packet.c, packet_alloc_skb(). Its reserve is 16.
PAGED_FROM_BYTES = PAGE_BYTES - 16


def packet_layout(
    linear_bytes: int,
    length_bytes: int,
    *,
    protocol: Protocol = Protocol.UDP4,
    gso_size_bytes: int = 0,
    checksum: Checksum = Checksum.PARTIAL,
) -> Layout:
    """How a frame lies of which so many bytes are to be linear: the rest is in whole pages.

    Raises ValueError for what AF_PACKET makes linear whatever it is told.
    """
    if linear_bytes != length_bytes and length_bytes < PAGED_FROM_BYTES:
        raise ValueError(f"a frame of {length_bytes} bytes is linear")
    return Layout(
        linear_bytes=linear_bytes,
        linear_offset_bytes=HEADROOM_BYTES,
        frags=tuple(_pages(length_bytes - linear_bytes)),
        gso_size_bytes=gso_size_bytes,
        protocol=protocol,
        checksum=checksum,
    )


def send_packets(
    shell: Shell, batch: Batch, deadline: Deadline, patience: Sequence[str] = ()
) -> SendReport:
    """Send a batch from a node as xlsource does; see composer/sender.py.

    The driver's end of a packet is out of its sight: neither dropped nor linearised is ever told.
    Raises NotBack where the driver has no room for as long as it is waited for.
    """
    words = ("--device", batch.way.device, *patience, *words_of(batch, deadline))
    done = shell.run(
        [XLSOURCE, "packet", *words],
        deadline=deadline,
        stdin=encode_layouts(tuple(batch.layouts)),
    )
    (line,) = done.require_success().stdout.splitlines()
    return read_report(parse_account(f"xlsource on {shell.where}", line, batch.packets))


def read_report(account: SourceAccount) -> SendReport:
    """An account in the form of the composer's: a packet that was refused was never given."""
    sent = tuple(_sent(letter) for letter in account.letters)
    given = account.letters.count(Letter.TAKEN)
    return SendReport(
        sent=sent, given=given, outstanding=0, compose_us=0, drain_us=0,
        error=0 if given == len(sent) else 1,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Packets:
    """A LayoutSource: AF_PACKET in the source node, and the composer's receiver."""

    batch_packets: int = BATCH_PACKETS

    def send(
        self, lab: LabHandle, link: Link, layouts: Sequence[Layout], seed: int
    ) -> Iterable[Sighting]:
        """See LayoutSource. Raises DriverFailed where the driver keeps what it was given."""
        send_batch = partial(send_packets, patience=patience_words(lab))
        composer = Composer(batch_packets=self.batch_packets, send_batch=send_batch)
        with keeping_told(lab, link):
            return composer.send(lab, link, layouts, seed)


PACKETS = Packets()


def _sent(letter: Letter) -> Sent:
    flags = SentFlag.GIVEN if letter is Letter.TAKEN else SentFlag.DROPPED
    return Sent(flags=flags, result=0, held_frags=0, waits=0, dropped=0, submit_us=0, latency_us=0)


def words_of(batch: Batch, deadline: Deadline) -> Sequence[str]:
    """What xlsource is told of a batch beside its layouts and its device."""
    flow = batch.flow
    return (
        "--seed", str(batch.seed),
        "--first-id", str(batch.first_id),
        "--mac", f"{flow.source_mac},{flow.sink_mac}",
        "--ip4", f"{flow.source4},{flow.sink4}",
        "--ip6", f"{flow.source6},{flow.sink6}",
        "--ports", f"{flow.source_port},{flow.sink_port}",
        "--timeout-ms", str(int(deadline.remaining_s * 500)),
    )  # fmt: skip


def _pages(length_bytes: int) -> Iterator[Frag]:
    for start in range(0, length_bytes, PAGE_BYTES):
        size_bytes = min(PAGE_BYTES, length_bytes - start)
        yield Frag(order=0, offset_bytes=0, size_bytes=size_bytes)
