"""Ladders: the sizes that flows are made of, with the edges where packets change their shape."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from itertools import cycle, islice

from xenlab.measure.flow import UDP4_PAYLOAD_MAX_BYTES, FlowSpec, Transport
from xenlab.measure.fragments import Family, largest_payload_bytes
from xenlab.plan.model import Link, NetworkPlan, VifPlan

# 1 and 2: odd lengths of a checksum. 17, 18: a frame of 60 bytes, the least on a real wire. 63 ..
# 129: netback copies 128 bytes of a packet, headers included, and maps the rest
# (XEN_NETBACK_TX_COPY_LEN); netfront pulls 256 (RX_COPY_THRESHOLD). The powers of two, and the
# same less 42 for the headers, are slots and pages of 4096 bytes.
UDP_STEPS = (
    1, 2, 17, 18, 46, 63, 64, 65, 85, 86, 87, 127, 128, 129, 255, 256, 257, 511, 512, 513,
    1023, 1024, 1025, 2047, 2048, 4053, 4054, 4055, 4095, 4096, 4097, 8191, 8192, 8193,
    16383, 16384, 32767, 32768, 65506, UDP4_PAYLOAD_MAX_BYTES,
)  # fmt: skip
UDP_STEPS_QUICK = (1, 64, 128, 1024, 4096, 16384, UDP4_PAYLOAD_MAX_BYTES)
# More packets than the one in a thousand that a planted fault takes.
UDP_VOLUME = 1000
# Odd lengths, so that segments and pages begin at every offset; together about 4 MB.
TCP_STEPS = (
    1, 7, 127, 1447, 1448, 1449, 4095, 4097, 16383, 32769, 65535, 65537, 262147, 1048575, 1048576,
    1500001 - 1048576, 999983,
)  # fmt: skip
TCP_STEPS_QUICK = (1, 1447, 4097, 65537, 131071)

# Below the ephemeral ports (net.ipv4.ip_local_port_range), so that nobody else is there.
PORTS = {
    (Transport.UDP, Family.IPV4): 20000,
    (Transport.UDP, Family.IPV6): 20001,
    (Transport.TCP, Family.IPV4): 20002,
    (Transport.TCP, Family.IPV6): 20003,
}


class Extent(StrEnum):
    """How much of a suite to run."""

    WHOLE = "whole"
    QUICK = "quick"


def plan_runs(link: Link, extent: Extent) -> tuple[tuple[FlowSpec, ...], ...]:
    """The runs over one link: UDP and TCP, each over IPv4 and IPv6.

    The whole suite measures each flow by itself. The short form takes only the edges that matter,
    and all flows in one run, for what costs time are the commands.
    """
    if extent is Extent.QUICK:
        return (_quick_flows(link),)
    return tuple((flow,) for flow in _whole_flows(link))


def plan_flows(
    link: Link, mtu_bytes: int, udp_sizes: tuple[int, ...], tcp_sizes: tuple[int, ...]
) -> tuple[FlowSpec, ...]:
    """One flow of each kind, for a link whose devices have this MTU for the time being.

    To the sizes of datagrams come those around one and two packets of it; without sizes there is
    no flow of the kind.
    """
    resized = replace(link, mtu_bytes=mtu_bytes)
    return tuple(
        _flow(resized, transport, family, sizes)
        for family in _families(resized)
        for transport, sizes in (
            (Transport.UDP, udp_sizes and _edges(resized, family, udp_sizes)),
            (Transport.TCP, tcp_sizes),
        )
        if sizes
    )


def _whole_flows(link: Link) -> Iterator[FlowSpec]:
    for family in _families(link):
        ladder = _ladder(link, family, UDP_STEPS)
        whole = [
            size for size in ladder if size <= largest_payload_bytes(1, family, link.mtu_bytes)
        ]
        volume = islice(cycle(whole), UDP_VOLUME)
        yield _flow(link, Transport.UDP, family, (*ladder, *volume))
        yield _flow(link, Transport.TCP, family, TCP_STEPS)


def _quick_flows(link: Link) -> tuple[FlowSpec, ...]:
    return tuple(
        _flow(link, transport, family, sizes)
        for family in _families(link)
        for transport, sizes in (
            (Transport.UDP, _ladder(link, family, UDP_STEPS_QUICK)),
            (Transport.TCP, TCP_STEPS_QUICK),
        )
    )


def source_mtu_bytes(link: Link, networks: dict[str, NetworkPlan]) -> int:
    """The MTU of the device that the source sends by: there a datagram becomes fragments."""
    place: VifPlan | NetworkPlan = link.source_vif or networks[link.networks[0]]
    return place.mtu_bytes


def _families(link: Link) -> tuple[Family, ...]:
    return (Family.IPV4, Family.IPV6) if link.carries_ipv6 else (Family.IPV4,)


def _ladder(link: Link, family: Family, steps: tuple[int, ...]) -> tuple[int, ...]:
    """The steps, and the sizes around one, two and three packets of this link's MTU, in order."""
    return _edges(link, family, steps, (1, 2, 3))


def _edges(
    link: Link, family: Family, steps: tuple[int, ...], packets: tuple[int, ...] = (1, 2)
) -> tuple[int, ...]:
    edges = (largest_payload_bytes(each, family, link.mtu_bytes) for each in packets)
    around = {edge + off for edge in edges for off in (-1, 0, 1)}
    return tuple(sorted({*steps, *around} & set(range(1, UDP4_PAYLOAD_MAX_BYTES + 1))))


def _flow(
    link: Link, transport: Transport, family: Family, sizes_bytes: tuple[int, ...]
) -> FlowSpec:
    """The seed and the port are the same in every run, so that a fault can be made again."""
    name = f"{link.source}:{link.source_device}>{link.sink}:{link.sink_device}:{transport}{family}"
    return FlowSpec(
        transport=transport,
        address=link.sink_address4 if family is Family.IPV4 else link.sink_address6,
        port=PORTS[transport, family],
        seed=zlib.crc32(name.encode()),
        sizes_bytes=sizes_bytes,
    )
