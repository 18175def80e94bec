"""The worst case: the most slots that a packet can take, and a layout that takes them."""

from __future__ import annotations

from xenlab.slots.layout import PAGE_BYTES, Frag, Layout, Protocol
from xenlab.slots.limits import MIN_MAX_SKB_FRAGS, WIRE_MAX_BYTES

# The linear part of the source document's example: 70 bytes, half of them on either page.
LINEAR_BYTES = 70
SEGMENT_BYTES = 1448


def worst_slots(length_bytes: int, frags: int) -> int:
    """The most slots that `length_bytes` in a linear part and `frags` frags can take.

    Each buffer takes two slots with two bytes astride a page's end, and 4096 bytes more take one
    slot more. Where there are fewer than two bytes for each, every byte has a slot of its own.
    """
    astride_bytes = 2 * (1 + frags)
    if length_bytes < astride_bytes:
        return length_bytes
    return astride_bytes + (length_bytes - astride_bytes) // PAGE_BYTES


def worst_layout(frags: int = MIN_MAX_SKB_FRAGS, *, gso: bool = False) -> Layout:
    """A layout of as many slots as `frags` frags and the wire's length allow.

    Every buffer has a byte on the last place of a page; as many frags as there are bytes for span
    the next page whole and reach a third.
    """
    spare_bytes = WIRE_MAX_BYTES - LINEAR_BYTES - 2 * frags
    long = min(frags, spare_bytes // PAGE_BYTES)
    astride = Frag(order=1, offset_bytes=PAGE_BYTES - 1, size_bytes=2)
    across = Frag(order=2, offset_bytes=PAGE_BYTES - 1, size_bytes=PAGE_BYTES + 2)
    return Layout(
        linear_bytes=LINEAR_BYTES,
        linear_offset_bytes=PAGE_BYTES - LINEAR_BYTES // 2,
        frags=(*[across] * long, *[astride] * (frags - long)),
        gso_size_bytes=SEGMENT_BYTES if gso else 0,
        protocol=Protocol.TCP4 if gso else Protocol.UDP4,
    )
