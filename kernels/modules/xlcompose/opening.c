// SPDX-License-Identifier: GPL-2.0-only
/* The headers of an arrived packet, compared with those that were sent. */
#include <linux/etherdevice.h>
#include <net/checksum.h>
#include <net/dsfield.h>
#include <net/ip.h>
#include "opening.h"

#define TTL_MAX	64

static bool find_protocol(const struct sk_buff *skb, struct xlc_opening *opening)
{
	bool ip4 = skb->protocol == cpu_to_be16(ETH_P_IP);
	u8 ipproto;

	if (ip4) {
		if (xlc_ip4(opening)->ihl != 5 || ip_is_fragment(xlc_ip4(opening)))
			return false;
		ipproto = xlc_ip4(opening)->protocol;
	} else {
		ipproto = xlc_ip6(opening)->nexthdr;
	}
	if (ipproto == IPPROTO_UDP)
		opening->protocol = ip4 ? XLC_UDP4 : XLC_UDP6;
	else if (ipproto == IPPROTO_TCP)
		opening->protocol = ip4 ? XLC_TCP4 : XLC_TCP6;
	else
		return false;
	opening->shape = &xlc_shapes[opening->protocol];
	opening->l4 = opening->bytes + opening->shape->ip_bytes;
	return true;
}

/*
 * Whether these are headers of ours, told by protocol and destination port: both are at the same
 * place in UDP and TCP. skb->data is at the IP header; nothing is pulled.
 */
bool xlc_read_opening(const struct sk_buff *skb, const struct xlc_flow *flow,
		      struct xlc_opening *opening)
{
	unsigned int least;

	if (skb->protocol != cpu_to_be16(ETH_P_IP) && skb->protocol != cpu_to_be16(ETH_P_IPV6))
		return false;
	if (skb->len < sizeof(struct iphdr) + sizeof(struct udphdr) ||
	    skb_copy_bits(skb, 0, opening->bytes, min_t(u32, skb->len, sizeof(opening->bytes))))
		return false;
	if (!find_protocol(skb, opening))
		return false;
	least = opening->shape->ip_bytes + opening->shape->l4_bytes;
	return skb->len >= least && xlc_udp(opening)->dest == flow->port_to;
}

/* Zeros in what is wanted mean: any. */
static bool differs(const void *seen, const void *wanted, size_t bytes)
{
	return memcmp(seen, wanted, bytes) && memchr_inv(wanted, 0, bytes);
}

static u16 inspect_ethernet(const struct sk_buff *skb, const struct xlc_flow *flow)
{
	const struct ethhdr *eth = eth_hdr(skb);

	if (differs(eth->h_dest, flow->mac_to, ETH_ALEN) ||
	    differs(eth->h_source, flow->mac_from, ETH_ALEN))
		return XLC_BAD_ETHERNET;
	return 0;
}

static u16 inspect_ip4(const struct iphdr *ip, u32 length, const struct xlc_flow *flow)
{
	u16 flags = ntohs(ip->tot_len) == (length & 0xffff) ? 0 : XLC_BAD_LENGTH;

	if (differs(&ip->saddr, flow->ip4_from, sizeof(ip->saddr)) ||
	    differs(&ip->daddr, flow->ip4_to, sizeof(ip->daddr)) ||
	    ip->ttl > TTL_MAX || ip->frag_off != htons(IP_DF) || ip->tos ||
	    ip_fast_csum(ip, ip->ihl))
		flags |= XLC_BAD_IP;
	return flags;
}

static u16 inspect_ip6(const struct ipv6hdr *ip, u32 length, const struct xlc_flow *flow)
{
	u16 flags = ntohs(ip->payload_len) == length - sizeof(*ip) ? 0 : XLC_BAD_LENGTH;

	if (differs(&ip->saddr, flow->ip6_from, sizeof(ip->saddr)) ||
	    differs(&ip->daddr, flow->ip6_to, sizeof(ip->daddr)) ||
	    ip->hop_limit > TTL_MAX || ipv6_get_dsfield(ip))
		flags |= XLC_BAD_IP;
	return flags;
}

static u16 inspect_l4(const struct xlc_opening *opening, u32 l4_bytes, const struct xlc_flow *flow)
{
	u16 flags = 0;

	if (differs(&xlc_udp(opening)->source, &flow->port_from, sizeof(flow->port_from)))
		flags |= XLC_BAD_L4;
	if (!xlc_is_tcp(opening) && ntohs(xlc_udp(opening)->len) != l4_bytes)
		flags |= XLC_BAD_LENGTH;
	if (xlc_is_tcp(opening) &&
	    (xlc_tcp(opening)->doff != 5 || !xlc_tcp(opening)->ack ||
	     xlc_tcp(opening)->syn || xlc_tcp(opening)->rst))
		flags |= XLC_BAD_L4;
	return flags;
}

/* What hardware or a peer has vouched for may hold either sum, and is not judged. */
static u16 inspect_checksum(const struct sk_buff *skb, const struct xlc_opening *opening)
{
	unsigned int l4 = opening->shape->ip_bytes;
	u32 bytes = skb->len - l4;
	__sum16 sum, wanted;

	memcpy(&sum, opening->l4 + opening->shape->check_offset, sizeof(sum));
	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		wanted = ~xlc_pseudo_sum(opening->bytes, opening->protocol, bytes, 0);
		return sum == wanted ? 0 : XLC_BAD_CHECKSUM;
	}
	if (skb->ip_summed == CHECKSUM_UNNECESSARY)
		return 0;
	wanted = xlc_pseudo_sum(opening->bytes, opening->protocol, bytes,
				skb_checksum(skb, l4, bytes, 0));
	return wanted ? XLC_BAD_CHECKSUM : 0;
}

/* Every field of every header, as XLC_BAD_* flags. */
u16 xlc_inspect_opening(const struct sk_buff *skb, const struct xlc_opening *opening,
			const struct xlc_flow *flow)
{
	u16 flags = inspect_ethernet(skb, flow);

	if (xlc_is_ip4(opening))
		flags |= inspect_ip4(xlc_ip4(opening), skb->len, flow);
	else
		flags |= inspect_ip6(xlc_ip6(opening), skb->len, flow);
	flags |= inspect_l4(opening, skb->len - opening->shape->ip_bytes, flow);
	return flags | inspect_checksum(skb, opening);
}
