"""Layouts that pass a wire: what is larger than its MTU goes as GSO, and is cut before the NIC."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from xenlab.slots.layout import ETHERNET_HEADER_BYTES, Checksum, Layout, Protocol

LARGE = Protocol.TCP4


def on_a_wire(layouts: Iterable[Layout], mtu_bytes: int) -> Iterator[Layout]:
    """The same pages and lengths, in frames that fit: as they are where they do, else as TCP.

    A layout whose head has no room for the headers of TCP is left out.
    """
    largest_bytes = mtu_bytes + ETHERNET_HEADER_BYTES
    for layout in layouts:
        if layout.gso_size_bytes:
            room_bytes = largest_bytes - layout.protocol.header_bytes
            yield replace(layout, gso_size_bytes=min(layout.gso_size_bytes, room_bytes))
        elif layout.length_bytes <= largest_bytes:
            yield layout
        elif layout.linear_bytes >= LARGE.header_bytes:
            yield replace(
                layout,
                protocol=LARGE,
                gso_size_bytes=largest_bytes - LARGE.header_bytes,
                checksum=Checksum.PARTIAL,
            )
