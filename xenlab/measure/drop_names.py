"""The counters that admit to packets thrown away, by the place where that happens."""

from __future__ import annotations

from xenlab.measure.counters import QDISC_DROPS

# What a device can throw away of what it is given to send, before it counts it as sent.
LEAVING_DROPS = ("tx_dropped", "tx_errors", QDISC_DROPS)
# What a NIC saw on its wire and did not take (struct rtnl_link_stats64). Not all rx_errors: e1000e
# adds what was shorter than Ethernet allows, and takes it all the same where nobody pads frames.
WIRE_DROPS = (
    "rx_crc_errors", "rx_frame_errors", "rx_over_errors", "rx_fifo_errors", "rx_missed_errors",
)  # fmt: skip
# What IP forwarding in dom0 can throw away, both versions (net/ipv4/proc.c, net/ipv6/proc.c).
FORWARDING_DROPS = (
    "IpInHdrErrors", "IpInAddrErrors", "IpInDiscards", "IpOutDiscards", "IpOutNoRoutes",
    "IpFragFails", "Ip6InHdrErrors", "Ip6InTooBigErrors", "Ip6InNoRoutes", "Ip6InAddrErrors",
    "Ip6InDiscards", "Ip6OutDiscards", "Ip6OutNoRoutes", "Ip6FragFails",
)  # fmt: skip
# What the sending node can throw away between the socket and the device.
SENDING_DROPS = (
    "IpOutDiscards", "IpOutNoRoutes", "IpFragFails", "UdpSndbufErrors",
    "Ip6OutDiscards", "Ip6OutNoRoutes", "Ip6FragFails", "Udp6SndbufErrors",
)  # fmt: skip
# What the receiving node can throw away between the device and the socket.
RECEIVING_DROPS = (
    "IpInHdrErrors", "IpInAddrErrors", "IpInDiscards", "IpReasmFails",
    "UdpNoPorts", "UdpInErrors", "UdpRcvbufErrors", "UdpInCsumErrors", "UdpMemErrors",
    "Ip6InHdrErrors", "Ip6InAddrErrors", "Ip6InDiscards", "Ip6ReasmFails",
    "Udp6NoPorts", "Udp6InErrors", "Udp6RcvbufErrors", "Udp6InCsumErrors", "Udp6MemErrors",
    "TcpInErrs", "TcpInCsumErrors",
)  # fmt: skip

# Of those, what was thrown away because it was damaged on its way.
DAMAGE_DROPS = frozenset({"UdpInCsumErrors", "Udp6InCsumErrors", "TcpInCsumErrors"})
# Of those, what is but the consequence of a packet that was lost elsewhere.
INCOMPLETE_DROPS = frozenset({"IpReasmFails", "Ip6ReasmFails"})
# These count again what others count by its reason (net/ipv4/udp.c, net/ipv4/tcp_ipv4.c).
SUMMING_DROPS = {
    "UdpInErrors": frozenset({"UdpRcvbufErrors", "UdpInCsumErrors", "UdpMemErrors"}),
    "Udp6InErrors": frozenset({"Udp6RcvbufErrors", "Udp6InCsumErrors", "Udp6MemErrors"}),
    "TcpInErrs": frozenset({"TcpInCsumErrors"}),
}
