"""The drivers, told byte by byte: slow, with no arithmetic that could hide a mistake.

Every byte of an skb has an address of its own. A buffer is a range of addresses in pages that
nothing else lies in; a request is all bytes of one buffer that share a page, in order.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from xenlab.slots.layout import Layout
from xenlab.slots.pages import Piece

PAGE = 4096
APART = PAGE << 12


def addresses(place: int, offset: int, size: int) -> range:
    """The addresses of a buffer's bytes, far away from every other buffer's."""
    start = place * APART + offset
    return range(start, start + size)


def buffers(layout: Layout) -> list[range]:
    """The linear part and the frags, each as the addresses of its bytes."""
    stretches = [(layout.linear_offset_bytes, layout.linear_bytes)]
    stretches += [(frag.offset_bytes, frag.size_bytes) for frag in layout.frags]
    return [addresses(place, *stretch) for place, stretch in enumerate(stretches)]


def pages_touched(buffer: range) -> set[int]:
    """The pages that some byte of the buffer lies in."""
    return {address // PAGE for address in buffer}


def counted(layout: Layout) -> int:
    """What netfront counts: an empty frag that starts inside a page counts like a byte there."""
    empty = sum(
        1 for frag in layout.frags if frag.size_bytes == 0 and frag.offset_bytes % PAGE != 0
    )
    return sum(len(pages_touched(buffer)) for buffer in buffers(layout)) + empty


def requests(stretches: list[range]) -> list[Piece]:
    """One request for each page of each buffer."""
    return list(_requests(stretches))


def _requests(stretches: list[range]) -> Iterator[Piece]:
    for buffer in stretches:
        for _, group in groupby(buffer, key=lambda address: address // PAGE):
            bytes_here = list(group)
            yield Piece(offset_bytes=bytes_here[0] % PAGE, size_bytes=len(bytes_here))


def whole_slots(slots: list[Piece], head: int) -> int:
    """How many of the slots have their last byte among the first `head` bytes of the packet."""
    owners = [place for place, piece in enumerate(slots) for _ in range(piece.size_bytes)]
    outside = set(owners[head:])
    return len({owner for owner in owners if owner not in outside})


def behind_head(slots: list[Piece], head: int) -> list[Piece]:
    """What is left of the slots behind the first `head` bytes of the packet, byte by byte."""
    places = [
        (slot, piece.offset_bytes + at)
        for slot, piece in enumerate(slots)
        for at in range(piece.size_bytes)
    ]
    groups = [list(group) for _, group in groupby(places[head:], key=lambda place: place[0])]
    return [Piece(offset_bytes=group[0][1], size_bytes=len(group)) for group in groups]


def receive_copies(stretches: list[range], room: int) -> tuple[int, int]:
    """Slots and copies towards a guest: bytes that share source page, buffer and slot are one."""
    stream = [(place, address) for place, buffer in enumerate(stretches) for address in buffer]
    keys = [
        (place, address // PAGE, position // room)
        for position, (place, address) in enumerate(stream)
    ]
    last = max(place for place, _ in stream)
    empty = sum(1 for place, buffer in enumerate(stretches) if not buffer and place < last)
    return len({slot for _, _, slot in keys}), len(set(keys)) + empty
