"""Layouts for hypothesis: any that a kernel could build, leaning towards the edges of pages."""

from __future__ import annotations

from functools import lru_cache

from hypothesis import settings
from hypothesis import strategies as st

from xenlab.slots.layout import (
    MAX_GSO_SIZE_BYTES,
    PAGE_BYTES,
    Checksum,
    Frag,
    Layout,
    Protocol,
)

# A walk over bytes takes as long as it takes, and longer on a busy host.
UNHURRIED = settings(deadline=None)
EDGES = (0, 1, 2, 13, 14, 127, 128, 4031, 4032, 4082, 4083, 4094, 4095, 4096, 4097, 4098)


@lru_cache
def sizes(most: int) -> st.SearchStrategy[int]:
    """Byte counts up to `most`, often at an edge."""
    edges = st.sampled_from([edge for edge in EDGES if edge <= most])
    return edges | st.integers(0, most)


def make_frag(order: int, page: int, offset_bytes: int, size_bytes: int) -> Frag:
    """A frag at `offset_bytes` of some page of its compound page, cut where that ends."""
    start_bytes = page % (1 << order) * PAGE_BYTES + offset_bytes
    fitting_bytes = min(size_bytes, (PAGE_BYTES << order) - start_bytes)
    return Frag(order=order, offset_bytes=start_bytes, size_bytes=fitting_bytes)


# Built once and not inside a draw, which takes hypothesis ten times as long.
@lru_cache
def layouts(max_frags: int = 17, most: int = 70000) -> st.SearchStrategy[Layout]:
    """Layouts of buffers of at most `most` bytes; the length may be more than the wire takes."""
    frags = st.builds(
        make_frag, st.integers(0, 5), st.integers(0, 31), sizes(PAGE_BYTES - 1), sizes(most)
    )
    return st.builds(
        Layout,
        linear_bytes=(sizes(300) | sizes(most)).map(lambda size: size + 1),
        linear_offset_bytes=sizes(PAGE_BYTES - 1),
        frags=st.lists(frags, max_size=max_frags).map(tuple),
        gso_size_bytes=st.just(0) | st.integers(1, MAX_GSO_SIZE_BYTES),
        protocol=st.sampled_from(Protocol),
        checksum=st.sampled_from(Checksum),
    )


def of_slots(slots: int, first: int = 200) -> Layout:
    """A layout of so many slots: the linear part, and frags of one or two slots each."""
    twos = max(0, slots - 18)
    ones = slots - 1 - 2 * twos
    frags = [Frag(order=1, offset_bytes=4000, size_bytes=200)] * twos
    frags += [Frag(order=0, offset_bytes=0, size_bytes=100)] * ones
    return Layout(linear_bytes=first, linear_offset_bytes=0, frags=tuple(frags))
