"""The settings of the suite, each with what it must visibly change of a link's packets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from xenlab.guest.change import Change
from xenlab.guest.device_state import Feature
from xenlab.measure.shapes import ETHERNET_HEADER_BYTES, IPV4, IPV6, Cut, Quantity
from xenlab.plan.model import DOM0
from xenlab.tests.gso.cell import PLAIN, Cell, Ring, rings_of
from xenlab.traffic.cells import Way
from xenlab.traffic.ladder import Extent
from xenlab.verdict.shapes import Claim

MTU_BYTES = 1500
PLAIN_BYTES = MTU_BYTES + ETHERNET_HEADER_BYTES
# The wire's `size` has 16 bits: XEN_NETIF_MAX_TX_SIZE, include/xen/interface/io/netif.h:830.
WIRE_MAX_BYTES = 0xFFFF
# What netback takes (interface.c, xenvif_alloc: ETH_MAX_MTU less a VLAN header). netfront takes
# 65535, and would then drop what is longer than the wire says with its Ethernet header.
VIF_MTU_MAX_BYTES = 65535 - 18

SIZES = {
    Extent.QUICK: (4096, 16384),
    Extent.WHOLE: (2048, 4096, 8192, 16384, 32768, 65536),
}
# The stack segments what it must not give to a vif, in one place for all limits.
FED_SIZES = (4096, 32768)
SEGMENTS = {Extent.QUICK: (1,), Extent.WHOLE: (1, 4)}
MTUS = {
    Extent.QUICK: (576, 9000),
    Extent.WHOLE: (68, 576, 1280, 9000, VIF_MTU_MAX_BYTES),
}

UDP_SIZES = (1, 64, 128, 4096, 16384, 65507)
UDP_SIZES_SMALL = (1, 17, 100, 500)
TCP_SIZES = (1, 1447, 65537, 524288)
TCP_SIZES_SMALL = (1, 1447, 32769)
SMALL_MTU_BYTES = 576
# TCP_MIN_SND_MSS (include/net/tcp.h): with headers 88 bytes, whatever the device takes.
TCP_MTU_MIN_BYTES = 88


def plain_cell(way: Way) -> Cell:
    """Everything as it was planned: the control of the others."""
    return Cell(name=PLAIN, claims=_full_packets(way, MTU_BYTES), mtu_bytes=MTU_BYTES)


def every_cell(way: Way, extent: Extent) -> tuple[Cell, ...]:
    """All of them."""
    groups = (limit_cells, feature_cells, mtu_cells, refused_cells)
    return tuple(cell for group in groups for cell in group(way, extent))


def limit_cells(way: Way, extent: Extent) -> tuple[Cell, ...]:
    """gso_max_size and gso_max_segs of each ring's sender."""
    cells = []
    for ring in rings_of(way):
        for size in FED_SIZES if ring.fed else SIZES[extent]:
            claims = ring.at_most(Quantity.GSO_LENGTH, min(size, WIRE_MAX_BYTES))
            cells.append(
                Cell(
                    name=f"{ring.name} gso_max_size {size}",
                    changes=ring.change(gso_max_size_bytes=size),
                    claims=claims if size < WIRE_MAX_BYTES else _some_gso(claims),
                    cut=Cut(from_bytes=size) if ring.fed and size < WIRE_MAX_BYTES else None,
                )
            )
        if not ring.forwarding:
            cells += [_segments_cell(ring, segments) for segments in SEGMENTS[extent]]
    return tuple(cells)


def feature_cells(way: Way, _extent: Extent) -> tuple[Cell, ...]:
    """Each offload off at each ring's sender, and GRO at the taker that is a domU."""
    return tuple(cell for ring in rings_of(way) for cell in _feature_cells(ring))


def mtu_cells(way: Way, extent: Extent) -> tuple[Cell, ...]:
    """One MTU on all devices: the longest packet without GSO is as long as it allows.

    1500 is what nothing is changed of.
    """
    return tuple(_mtu_cell(way, mtu_bytes) for mtu_bytes in MTUS[extent])


def refused_cells(way: Way, _extent: Extent) -> tuple[Cell, ...]:
    """Settings beyond what a device takes."""
    return tuple(
        Cell(name=f"{ring.name} {name}", changes=changes, beyond=True)
        for ring in rings_of(way)
        for name, changes in _beyond(ring)
    )


def _beyond(ring: Ring) -> Iterator[tuple[str, Mapping[str, tuple[Change, ...]]]]:
    yield "mtu 65536", ring.change(mtu_bytes=65536)
    yield "gso_max_size 65537", ring.change(gso_max_size_bytes=65537)
    if not ring.fed:
        # xennet_change_mtu(), drivers/net/xen-netfront.c:1388; netback asks what was negotiated.
        yield "sg off and mtu 9000", ring.change({Feature.SCATTER: False}, mtu_bytes=9000)


def _segments_cell(ring: Ring, segments: int) -> Cell:
    """A limit of segments, which does not hold where dom0 forwards.

    What came from a guest has no count of segments when it is asked for (net/core/dev.c:3620), and
    only then gets one (net/ipv4/tcp_offload.c, tcp_gso_segment).
    """
    single = Claim(spot=ring.taken, quantity=Quantity.GSO_PACKETS, most=0)
    most = Claim(spot=ring.sent, quantity=Quantity.GSO_SEGMENTS, most=segments)
    return Cell(
        name=f"{ring.name} gso_max_segs {segments}",
        changes=ring.change(gso_max_segs=segments),
        claims=(single,) if segments == 1 else (most,),
        cut=Cut() if ring.fed and segments == 1 else None,
    )


def _feature_cells(ring: Ring) -> tuple[Cell, ...]:
    cut = Cut() if ring.fed else None
    no_gso = ring.at_most(Quantity.GSO_PACKETS, 0)
    linear = Claim(spot=ring.sent, quantity=Quantity.PAGED, most=0)
    tso_off = Cell(
        name=f"{ring.name} tso off",
        changes=ring.change({Feature.TSO: False}),
        claims=no_gso,
        cut=cut,
    )
    # GSO off shows nothing by itself: TCP always makes large packets, and the stack cuts what the
    # device does not take (Linux commit 0a6b2a1dc2a2, "tcp: switch to GSO being always on").
    both_off = ring.change({Feature.TSO: False, Feature.GSO: False})
    cells = [
        tso_off,
        Cell(name=f"{ring.name} tso and gso off", changes=both_off, claims=no_gso, cut=cut),
        Cell(
            name=f"{ring.name} sg off",
            changes=ring.change({Feature.SCATTER: False}),
            claims=(linear, *no_gso),
            cut=cut,
        ),
        *(
            Cell(
                name=f"{ring.name} {feature} off",
                changes=ring.change({feature: False}),
                claims=ring.at_most(quantity, 0),
                cut=Cut(protocols=frozenset({protocol})) if ring.fed else None,
            )
            for feature, quantity, protocol in (
                (Feature.CHECKSUM4, Quantity.PARTIAL4, IPV4),
                (Feature.CHECKSUM6, Quantity.PARTIAL6, IPV6),
            )
        ),
    ]
    if ring.taker[0] != DOM0:
        cells.append(_gro_off(ring, tso_off))
    return tuple(cells)


def _gro_off(ring: Ring, tso_off: Cell) -> Cell:
    """What came in wire packets stays so: nothing longer is handed to the stack."""
    node, device = ring.taker
    gro = Change(device=device, features={Feature.GRO: False})
    return Cell(
        name=f"{node} {device} gro off, behind {tso_off.name}",
        changes={**tso_off.changes, node: (gro,)},
        claims=(Claim(spot=ring.delivered, quantity=Quantity.LENGTH, most=PLAIN_BYTES),),
        control=tso_off.name,
        cut=tso_off.cut,
    )


def _mtu_cell(way: Way, mtu_bytes: int) -> Cell:
    return Cell(
        name=f"mtu {mtu_bytes} on every device",
        changes=way.change_all(mtu_bytes),
        claims=_full_packets(way, mtu_bytes),
        mtu_bytes=mtu_bytes,
    )


def _full_packets(way: Way, mtu_bytes: int) -> tuple[Claim, ...]:
    """The longest packet without GSO fills the MTU, at both ends of each ring."""
    full_bytes = mtu_bytes + ETHERNET_HEADER_BYTES
    return tuple(
        Claim(
            spot=spot,
            quantity=Quantity.WIRE_LENGTH,
            least=full_bytes,
            most=full_bytes,
            controlled=False,
        )
        for ring in rings_of(way)
        for spot in (ring.sent, ring.taken)
    )


def _some_gso(claims: tuple[Claim, ...]) -> tuple[Claim, ...]:
    """What is no limit for anybody shows that there is GSO at all, without the setting too."""
    return tuple(replace(claim, least=PLAIN_BYTES + 1, controlled=False) for claim in claims)
