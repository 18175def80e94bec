"""Layouts for a wire: the same pages, as they fit or as a stream that is cut."""

from __future__ import annotations

import pytest

from xenlab.slots.boundaries import boundary_layouts, sweep_layouts
from xenlab.slots.compound import compound_layouts
from xenlab.slots.layout import Frag, Layout, Protocol
from xenlab.slots.wire import on_a_wire

FRAG = Frag(order=3, offset_bytes=100, size_bytes=20000)
LARGE = Layout(linear_bytes=70, linear_offset_bytes=9, frags=(FRAG,))


def test_what_fits_stays_as_it_is() -> None:
    fitting = Layout(linear_bytes=1514, linear_offset_bytes=0)
    gso = Layout(
        linear_bytes=54, linear_offset_bytes=0, frags=(FRAG,), gso_size_bytes=256,
        protocol=Protocol.TCP4,
    )  # fmt: skip

    assert tuple(on_a_wire((fitting, gso), 1500)) == (fitting, gso)
    assert (fitting.frames, gso.frames) == (1, 79)


def test_what_is_larger_becomes_a_stream_over_the_same_pages() -> None:
    (cut,) = on_a_wire((LARGE,), 1500)

    assert (cut.linear_bytes, cut.linear_offset_bytes, cut.frags) == (70, 9, (FRAG,))
    assert (cut.protocol, cut.gso_size_bytes) == (Protocol.TCP4, 1460)
    # 20070 bytes less the headers' 54, of 1460 each.
    assert cut.frames == 14


def test_head_without_room_for_the_headers_of_a_stream_is_left_out() -> None:
    short = Layout(linear_bytes=42, linear_offset_bytes=0, frags=(FRAG,))

    assert tuple(on_a_wire((short,), 1500)) == ()


@pytest.mark.parametrize("mtu_bytes", [1280, 1500, 9000])
def test_every_frame_of_the_suites_layouts_fits(mtu_bytes: int) -> None:
    layouts = (*sweep_layouts(max_frags=17), *boundary_layouts(17), *compound_layouts())

    for layout in on_a_wire(layouts, mtu_bytes):
        frame_bytes = layout.length_bytes
        if layout.gso_size_bytes:
            frame_bytes = layout.protocol.header_bytes + layout.gso_size_bytes
        assert frame_bytes <= mtu_bytes + 14
