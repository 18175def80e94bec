// SPDX-License-Identifier: GPL-2.0-only
/* Ethernet, IP and L4 headers of a packet, with the low bits of its id in them. */
#include <linux/etherdevice.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include "internal.h"

#define XLC_TTL	64

#define UDP_CHECK	offsetof(struct udphdr, check)
#define TCP_CHECK	offsetof(struct tcphdr, check)

const struct xlc_shape xlc_shapes[XLC_PROTOCOLS] = {
	[XLC_UDP4] = { cpu_to_be16(ETH_P_IP), IPPROTO_UDP, 20, 8, UDP_CHECK },
	[XLC_UDP6] = { cpu_to_be16(ETH_P_IPV6), IPPROTO_UDP, 40, 8, UDP_CHECK },
	[XLC_TCP4] = { cpu_to_be16(ETH_P_IP), IPPROTO_TCP, 20, 20, TCP_CHECK },
	[XLC_TCP6] = { cpu_to_be16(ETH_P_IPV6), IPPROTO_TCP, 40, 20, TCP_CHECK },
};

static void write_ip4(struct iphdr *ip, const struct xlc_headers *headers, u8 ipproto)
{
	*ip = (struct iphdr) {
		.version = 4,
		.ihl = 5,
		.tot_len = htons(headers->length - ETH_HLEN),
		.id = htons(headers->id),
		.frag_off = htons(IP_DF),
		.ttl = XLC_TTL,
		.protocol = ipproto,
	};
	memcpy(&ip->saddr, headers->flow->ip4_from, sizeof(ip->saddr));
	memcpy(&ip->daddr, headers->flow->ip4_to, sizeof(ip->daddr));
	ip->check = ip_fast_csum(ip, ip->ihl);
}

/* Packets with another flow label are another flow, which GRO lets overtake: TCP has none. */
static void write_ip6(struct ipv6hdr *ip, const struct xlc_headers *headers, u8 ipproto)
{
	ip6_flow_hdr(ip, 0, ipproto == IPPROTO_UDP ? htonl(headers->id & 0xffff) : 0);
	ip->payload_len = htons(headers->length - ETH_HLEN - sizeof(*ip));
	ip->nexthdr = ipproto;
	ip->hop_limit = XLC_TTL;
	memcpy(&ip->saddr, headers->flow->ip6_from, sizeof(ip->saddr));
	memcpy(&ip->daddr, headers->flow->ip6_to, sizeof(ip->daddr));
}

static void write_udp(struct udphdr *udp, const struct xlc_headers *headers, u32 l4_bytes)
{
	*udp = (struct udphdr) {
		.source = headers->flow->port_from,
		.dest = headers->flow->port_to,
		.len = htons(l4_bytes),
	};
}

/* The sequence number is the offset in the payload: a segment tells which bytes it has. */
static void write_tcp(struct tcphdr *tcp, const struct xlc_headers *headers)
{
	*tcp = (struct tcphdr) {
		.source = headers->flow->port_from,
		.dest = headers->flow->port_to,
		.ack_seq = htonl(headers->id),
		.doff = sizeof(*tcp) / 4,
		.ack = 1,
		.window = htons(0xffff),
	};
}

/* The sum over the pseudo header and `sum`, folded and complemented as it stands in a packet. */
__sum16 xlc_pseudo_sum(const u8 *ip, u8 protocol, u32 l4_bytes, __wsum sum)
{
	const struct xlc_shape *shape = &xlc_shapes[protocol];

	if (shape->ip_bytes == sizeof(struct iphdr)) {
		const struct iphdr *ip4 = (const struct iphdr *)ip;

		return csum_tcpudp_magic(ip4->saddr, ip4->daddr, l4_bytes, shape->ipproto, sum);
	}
	return csum_ipv6_magic(&((const struct ipv6hdr *)ip)->saddr,
			       &((const struct ipv6hdr *)ip)->daddr, l4_bytes, shape->ipproto, sum);
}

/*
 * Headers, the pseudo header sum in place, and the mark if the payload is long enough for it.
 * Returns how many bytes that are: at most XLC_HEADERS_MAX.
 */
unsigned int xlc_write_headers(u8 *to, const struct xlc_headers *headers)
{
	const struct xlc_shape *shape = &xlc_shapes[headers->protocol];
	unsigned int at = xlc_header_bytes(shape);
	u8 *l4 = to + xlc_l4_offset(shape);
	u32 l4_bytes = headers->length - xlc_l4_offset(shape);
	u32 payload_bytes = headers->length - at;
	struct ethhdr *eth = (struct ethhdr *)to;
	__sum16 sum;

	ether_addr_copy(eth->h_dest, headers->flow->mac_to);
	ether_addr_copy(eth->h_source, headers->flow->mac_from);
	eth->h_proto = shape->ethertype;
	if (shape->ip_bytes == sizeof(struct iphdr))
		write_ip4((struct iphdr *)(to + ETH_HLEN), headers, shape->ipproto);
	else
		write_ip6((struct ipv6hdr *)(to + ETH_HLEN), headers, shape->ipproto);
	if (shape->ipproto == IPPROTO_UDP)
		write_udp((struct udphdr *)l4, headers, l4_bytes);
	else
		write_tcp((struct tcphdr *)l4, headers);
	sum = ~xlc_pseudo_sum(to + ETH_HLEN, headers->protocol, l4_bytes, 0);
	memcpy(l4 + shape->check_offset, &sum, sizeof(sum));
	if (payload_bytes >= sizeof(struct xlc_mark)) {
		struct xlc_mark mark = {
			.magic = cpu_to_le32(XLC_MARK_MAGIC),
			.payload_bytes = cpu_to_le32(payload_bytes),
			.id = cpu_to_le64(headers->id),
		};

		memcpy(to + at, &mark, sizeof(mark));
		at += sizeof(mark);
	}
	return at;
}
