"""Layouts for hypothesis: any that a kernel could build, leaning towards the edges of pages."""

from __future__ import annotations

from hypothesis import strategies as st

from xenlab.slots.layout import (
    MAX_GSO_SIZE_BYTES,
    PAGE_BYTES,
    Checksum,
    Frag,
    Layout,
    Protocol,
)

EDGES = (0, 1, 2, 13, 14, 127, 128, 4031, 4032, 4082, 4083, 4094, 4095, 4096, 4097, 4098)


def sizes(most: int) -> st.SearchStrategy[int]:
    """Byte counts up to `most`, often at an edge."""
    edges = st.sampled_from([edge for edge in EDGES if edge <= most])
    return edges | st.integers(0, most)


@st.composite
def frags(draw: st.DrawFn, most: int) -> Frag:
    """A frag of at most `most` bytes anywhere in a compound page."""
    order = draw(st.integers(0, 5))
    page_bytes = PAGE_BYTES << order
    page = draw(st.integers(0, (1 << order) - 1)) * PAGE_BYTES
    offset_bytes = page + draw(sizes(PAGE_BYTES - 1))
    size_bytes = draw(sizes(min(most, page_bytes - offset_bytes)))
    return Frag(order=order, offset_bytes=offset_bytes, size_bytes=size_bytes)


@st.composite
def layouts(draw: st.DrawFn, max_frags: int = 17, most: int = 70000) -> Layout:
    """A layout of buffers of at most `most` bytes; its length may be more than the wire takes."""
    return Layout(
        linear_bytes=1 + draw(sizes(300) | sizes(most)),
        linear_offset_bytes=draw(sizes(PAGE_BYTES - 1)),
        frags=tuple(draw(st.lists(frags(most), max_size=max_frags))),
        gso_size_bytes=draw(st.just(0) | st.integers(1, MAX_GSO_SIZE_BYTES)),
        protocol=draw(st.sampled_from(Protocol)),
        checksum=draw(st.sampled_from(Checksum)),
    )
