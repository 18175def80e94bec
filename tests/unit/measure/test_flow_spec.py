"""FlowSpec: what it asks of xlflow, and how many packets its datagrams become."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xenlab.measure.flow import FlowSpec, Transport
from xenlab.measure.fragments import Family, wire_packets

HEADERS = {Family.IPV4: 20, Family.IPV6: 48}


def flow(
    *sizes_bytes: int, transport: Transport = Transport.UDP, address: str = "10.0.0.2"
) -> FlowSpec:
    return FlowSpec(
        transport=transport, address=address, port=20000, seed=7, sizes_bytes=sizes_bytes
    )


def test_runs_of_one_size_are_written_once() -> None:
    assert flow(1, 2, 2, 2, 1).argument == "udp@10.0.0.2@20000@7@1,2x3,1"


def test_family_follows_from_the_address() -> None:
    assert str(flow(1)) == "udp4"
    assert str(flow(1, address="fd00::2", transport=Transport.TCP)) == "tcp6"


@pytest.mark.parametrize(
    ("sizes", "transport", "address"),
    [
        ((), Transport.UDP, "10.0.0.2"),
        ((0,), Transport.UDP, "10.0.0.2"),
        ((65508,), Transport.UDP, "10.0.0.2"),
        ((65528,), Transport.UDP, "fd00::2"),
        (((1 << 20) + 1,), Transport.TCP, "10.0.0.2"),
    ],
)
def test_flow_that_no_socket_can_send_is_refused(
    sizes: tuple[int, ...], transport: Transport, address: str
) -> None:
    with pytest.raises(ValueError, match=r"flow of nothing|cannot send"):
        flow(*sizes, transport=transport, address=address)


def test_largest_datagrams_are_taken() -> None:
    assert flow(65507).total_bytes == 65507
    assert flow(65527, address="fd00::2").total_bytes == 65527


# Checked against the kernel in tests/integration/traffic/test_flows.py.
@pytest.mark.parametrize(
    ("payload_bytes", "family", "packets"),
    [
        (1, Family.IPV4, 1),
        (1472, Family.IPV4, 1),
        (1473, Family.IPV4, 2),
        (65507, Family.IPV4, 45),
        (1452, Family.IPV6, 1),
        (1453, Family.IPV6, 2),
        (65507, Family.IPV6, 46),
    ],
)
def test_packets_of_a_datagram_at_an_mtu_of_1500(
    payload_bytes: int, family: Family, packets: int
) -> None:
    assert wire_packets(payload_bytes, family, 1500) == packets


@given(st.integers(1, 65507), st.sampled_from(list(Family)), st.integers(1280, 65535))
def test_fragments_have_room_for_the_datagram_and_one_less_has_not(
    payload_bytes: int, family: Family, mtu_bytes: int
) -> None:
    packets = wire_packets(payload_bytes, family, mtu_bytes)
    room_bytes = mtu_bytes - HEADERS[family]

    assert packets == 1 or packets * room_bytes >= payload_bytes + 8
    assert packets <= 2 or (packets - 1) * (room_bytes & ~7) < payload_bytes + 8


def test_packets_of_a_stream_are_not_known() -> None:
    with pytest.raises(ValueError, match="not known"):
        flow(1, transport=Transport.TCP).wire_packets(1500)


def test_bound_of_the_receive_buffer_counts_packets_and_pages() -> None:
    assert flow(*(1472,) * 1600).fits_receive_buffer(1500)
    assert not flow(*(1472,) * 1700).fits_receive_buffer(1500)
    assert not flow(*(1472,) * 1600).fits_receive_buffer(9000)
    assert flow(*(1472,) * 5000, transport=Transport.TCP).fits_receive_buffer(1500)
