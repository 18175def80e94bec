"""What pktgen makes of a size and frags: recomputed by its own loop, and what it must not make."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from xenlab.errors import InputError
from xenlab.slots.pktgen import PktgenFrame

PAGE = 4096


def fill(size_bytes: int, frags: int) -> tuple[int, list[int]]:
    """pktgen_finalize_skb() line by line (net/core/pktgen.c:2763): linear bytes and frags."""
    datalen = size_bytes - 42
    linear = 58
    sizes: list[int] = []
    datalen -= 16
    if frags <= 0:
        return linear + datalen, sizes
    length = datalen - frags * PAGE
    if length > 0:
        linear += length
        datalen = frags * PAGE
    frag_len = min(PAGE, datalen // frags)
    while datalen > 0:
        sizes.append(min(datalen, PAGE) if len(sizes) == frags - 1 else frag_len)
        datalen -= sizes[-1]
    return linear, sizes


@given(size_bytes=st.integers(60, 65535), frags=st.integers(0, 17))
def test_frame_is_what_the_loop_of_pktgen_fills(size_bytes: int, frags: int) -> None:
    assume(frags <= size_bytes - 58)
    try:
        frame = PktgenFrame(size_bytes=size_bytes, frags=frags)
    except InputError:
        assume(False)
    linear, sizes = fill(size_bytes, frags)

    assert (frame.linear_bytes, list(frame.frag_sizes_bytes)) == (linear, sizes)
    assert sum(frame.frag_sizes_bytes) + frame.linear_bytes == size_bytes
    assert frame.least_slots <= frame.most_slots <= min(18, frame.least_slots + 1)


@pytest.mark.parametrize(
    ("size_bytes", "frags", "least", "most", "delivery"),
    [
        (60, 0, 1, 1, 1),
        (1514, 0, 1, 2, 1),
        (4030, 0, 1, 1, 1),
        (4031, 0, 2, 2, 1),
        (65531, 0, 17, 17, 16),
        (17058, 17, 18, 18, 5),
        (75, 17, 18, 18, 1),
    ],
)
def test_slots_of_a_frame(
    size_bytes: int, frags: int, least: int, most: int, delivery: int
) -> None:
    frame = PktgenFrame(size_bytes=size_bytes, frags=frags)

    assert (frame.least_slots, frame.most_slots, frame.delivery_slots) == (least, most, delivery)


@pytest.mark.parametrize(
    ("size_bytes", "frags", "why"),
    [
        (59, 0, "60 to 65535 bytes"),
        (65536, 0, "60 to 65535 bytes"),
        (60, 18, "0 to 17 frags"),
        (74, 17, "frags of nothing"),
        (65535, 16, "add a frag to them"),
        # Its head comes from a page_frag and may cross a page: 19 slots, and a BUG in the kernel.
        (2000, 17, "up to 19 slots"),
    ],
)
def test_what_pktgen_cannot_make_is_refused(size_bytes: int, frags: int, why: str) -> None:
    with pytest.raises(InputError, match=why):
        PktgenFrame(size_bytes=size_bytes, frags=frags)
