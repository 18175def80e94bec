"""Fragments: how many packets one UDP datagram takes, and the datagrams at the edges of that."""

from __future__ import annotations

from enum import StrEnum

IPV4_HEADER_BYTES = 20
IPV6_HEADER_BYTES = 40
IPV6_FRAGMENT_HEADER_BYTES = 8
UDP_HEADER_BYTES = 8


class Family(StrEnum):
    """The version of IP."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"


def wire_packets(payload_bytes: int, family: Family, mtu_bytes: int) -> int:
    """Packets that one UDP datagram takes: one, or its IP fragments."""
    if payload_bytes <= largest_payload_bytes(1, family, mtu_bytes):
        return 1
    step_bytes, last_bytes = _fragment_room(family, mtu_bytes)
    rest_bytes = payload_bytes + UDP_HEADER_BYTES - last_bytes
    return 1 + max(0, -(-rest_bytes // step_bytes))


def largest_payload_bytes(packets: int, family: Family, mtu_bytes: int) -> int:
    """The largest payload that fits into so many packets."""
    if packets == 1:
        header_bytes = IPV4_HEADER_BYTES if family is Family.IPV4 else IPV6_HEADER_BYTES
        return mtu_bytes - header_bytes - UDP_HEADER_BYTES
    step_bytes, last_bytes = _fragment_room(family, mtu_bytes)
    return (packets - 1) * step_bytes + last_bytes - UDP_HEADER_BYTES


def _fragment_room(family: Family, mtu_bytes: int) -> tuple[int, int]:
    """What each fragment but the last carries, and what the last can.

    All but the last carry a multiple of 8 bytes (RFC 791 section 3.2, RFC 8200 section 4.5). Where
    the last could hold a few bytes more than the others, Linux fills it for IPv4 only
    (net/ipv4/ip_output.c and net/ipv6/ip6_output.c, __ip_append_data, __ip6_append_data).
    """
    if family is Family.IPV4:
        room_bytes = mtu_bytes - IPV4_HEADER_BYTES
        return room_bytes & ~7, room_bytes
    room_bytes = (mtu_bytes - IPV6_HEADER_BYTES - IPV6_FRAGMENT_HEADER_BYTES) & ~7
    return room_bytes, room_bytes
