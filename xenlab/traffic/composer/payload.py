"""The payload of a packet as a function of seed and id, in Python: payload.h's twin."""

from __future__ import annotations

import sys
from array import array

from xenlab.traffic.composer.wire import MARK_BYTES

MASK = (1 << 64) - 1
STEP = 0x9E3779B97F4A7C15
MARK_MAGIC = 0x4D434C58


def payload_base(seed: int, packet_id: int) -> int:
    """Word 0: the finaliser of splitmix64 (Vigna) over the seed and a multiple of the id."""
    z = (seed + (packet_id + 1) * STEP) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def build_pattern(seed: int, packet_id: int, length_bytes: int) -> bytes:
    """The pattern alone, from byte 0 on."""
    base = payload_base(seed, packet_id)
    words = array("Q", ((base + i * STEP) & MASK for i in range(-(-length_bytes // 8))))
    if sys.byteorder == "big":
        words.byteswap()
    return words.tobytes()[:length_bytes]


def build_payload(seed: int, packet_id: int, length_bytes: int) -> bytes:
    """What a packet carries: the mark over the first bytes if there is room for it."""
    pattern = build_pattern(seed, packet_id, length_bytes)
    if length_bytes < MARK_BYTES:
        return pattern
    mark = b"".join(
        number.to_bytes(size, "little")
        for number, size in ((MARK_MAGIC, 4), (length_bytes, 4), (packet_id & MASK, 8))
    )
    return mark + pattern[MARK_BYTES:]
