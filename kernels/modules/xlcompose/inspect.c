// SPDX-License-Identifier: GPL-2.0-only
/* An arrived packet, compared with what was sent: every header field and every payload byte. */
#include <linux/etherdevice.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/checksum.h>
#include <net/dsfield.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include "internal.h"
#include "payload.h"

#define TTL_MAX	64

/* The start of a packet, from the IP header on, wherever its pieces were. */
struct opening {
	u8 bytes[XLC_HEADERS_MAX - ETH_HLEN] __aligned(4);
	const struct xlc_shape *shape;
	const u8 *l4;
	u8 protocol;
};

static const struct iphdr *ip4_of(const struct opening *opening)
{
	return (const struct iphdr *)opening->bytes;
}

static const struct ipv6hdr *ip6_of(const struct opening *opening)
{
	return (const struct ipv6hdr *)opening->bytes;
}

static const struct tcphdr *tcp_of(const struct opening *opening)
{
	return (const struct tcphdr *)opening->l4;
}

static const struct udphdr *udp_of(const struct opening *opening)
{
	return (const struct udphdr *)opening->l4;
}

static bool is_tcp(const struct opening *opening)
{
	return opening->shape->ipproto == IPPROTO_TCP;
}

static bool is_ip4(const struct opening *opening)
{
	return opening->shape->ethertype == cpu_to_be16(ETH_P_IP);
}

static bool find_protocol(const struct sk_buff *skb, struct opening *opening)
{
	bool ip4 = skb->protocol == cpu_to_be16(ETH_P_IP);
	u8 ipproto;

	if (ip4) {
		if (ip4_of(opening)->ihl != 5 || ip_is_fragment(ip4_of(opening)))
			return false;
		ipproto = ip4_of(opening)->protocol;
	} else {
		ipproto = ip6_of(opening)->nexthdr;
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

/* Ports are at the same place in UDP and TCP. */
static bool read_opening(const struct sk_buff *skb, const struct xlc_flow *flow,
			 struct opening *opening)
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
	return skb->len >= least && udp_of(opening)->dest == flow->port_to;
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

static u16 inspect_l4(const struct opening *opening, u32 l4_bytes, const struct xlc_flow *flow)
{
	u16 flags = 0;

	if (differs(&udp_of(opening)->source, &flow->port_from, sizeof(flow->port_from)))
		flags |= XLC_BAD_L4;
	if (!is_tcp(opening) && ntohs(udp_of(opening)->len) != l4_bytes)
		flags |= XLC_BAD_LENGTH;
	if (is_tcp(opening) && (tcp_of(opening)->doff != 5 || !tcp_of(opening)->ack ||
				tcp_of(opening)->syn || tcp_of(opening)->rst))
		flags |= XLC_BAD_L4;
	return flags;
}

/* What hardware or a peer has vouched for may hold either sum, and is not judged. */
static u16 inspect_checksum(const struct sk_buff *skb, const struct opening *opening)
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

static u32 index_in_headers(const struct opening *opening, u64 first_id)
{
	if (is_tcp(opening))
		return ntohl(tcp_of(opening)->ack_seq) - (u32)first_id;
	if (is_ip4(opening))
		return (ntohs(ip4_of(opening)->id) - first_id) & 0xffff;
	return (ntohl(ip6_flowlabel(ip6_of(opening))) - first_id) & 0xffff;
}

static void identify(const struct opening *opening, const struct xlc_expectation *expected,
		     struct xlc_finding *finding)
{
	u32 told = index_in_headers(opening, expected->first_id);
	struct xlc_mark mark;

	finding->index = told;
	finding->whole_bytes = 0;
	if (finding->start || finding->payload_bytes < sizeof(mark)) {
		finding->flags |= XLC_SHORT_ID;
	} else {
		memcpy(&mark, opening->l4 + opening->shape->l4_bytes, sizeof(mark));
		if (le32_to_cpu(mark.magic) != XLC_MARK_MAGIC ||
		    le64_to_cpu(mark.id) != expected->first_id + told)
			finding->flags |= XLC_BAD_MARK;
		else
			finding->whole_bytes = le32_to_cpu(mark.payload_bytes);
	}
	if (finding->index >= expected->ids) {
		finding->index = U32_MAX;
		finding->flags |= XLC_BAD_ID;
	}
}

static void inspect_extent(const struct opening *opening, struct xlc_finding *finding)
{
	u32 whole = finding->whole_bytes;

	if (finding->start || (is_tcp(opening) && finding->payload_bytes < whole))
		finding->flags |= XLC_IS_PART;
	else if (whole && finding->payload_bytes != whole)
		finding->flags |= XLC_BAD_LENGTH;
}

struct walk {
	u32 skip;	/* bytes before those that are compared */
	u32 at;		/* offset in the payload as sent */
	u32 first_bad;
	u64 base;
};

static void walk_bytes(struct walk *walk, const u8 *from, u32 len)
{
	u32 skipped = min(walk->skip, len);

	walk->skip -= skipped;
	len -= skipped;
	if (len && walk->first_bad == XLC_ALL_WELL)
		walk->first_bad = xlc_check(from + skipped, len, walk->at, walk->base);
	walk->at += len;
}

static void walk_skb(struct walk *walk, const struct sk_buff *skb)
{
	const struct sk_buff *listed;
	unsigned int i;

	walk_bytes(walk, skb->data, skb_headlen(skb));
	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++) {
		const skb_frag_t *frag = &skb_shinfo(skb)->frags[i];

		walk_bytes(walk, skb_frag_address(frag), skb_frag_size(frag));
	}
	skb_walk_frags(skb, listed)
		walk_skb(walk, listed);
}

static u32 find_bad_byte(const struct sk_buff *skb, const struct opening *opening,
			 const struct xlc_expectation *expected, const struct xlc_finding *finding)
{
	u32 skip = finding->flags & XLC_SHORT_ID ? 0 : sizeof(struct xlc_mark);
	struct walk walk = {
		.skip = skip + opening->shape->ip_bytes + opening->shape->l4_bytes,
		.at = finding->start + skip,
		.first_bad = XLC_ALL_WELL,
		.base = xlc_base(expected->seed, expected->first_id + finding->index),
	};

	walk_skb(&walk, skb);
	return walk.first_bad;
}

static void describe(const struct sk_buff *skb, const struct opening *opening, u32 first_bad,
		     struct xlc_finding *finding)
{
	const struct sk_buff *listed;
	u8 count = 0;

	skb_walk_frags(skb, listed)
		count++;
	if (count)
		finding->flags |= XLC_HAS_FRAG_LIST;
	if (first_bad != XLC_ALL_WELL)
		finding->flags |= XLC_BAD_PAYLOAD;
	finding->arrival = (struct xlc_arrival) {
		.index = cpu_to_le32(finding->index),
		.length = cpu_to_le32(skb->len + ETH_HLEN),
		.headlen = cpu_to_le32(skb_headlen(skb) + ETH_HLEN),
		.start = cpu_to_le32(finding->start),
		.first_bad = cpu_to_le32(first_bad),
		.gso_size = cpu_to_le16(skb_shinfo(skb)->gso_size),
		.frags = skb_shinfo(skb)->nr_frags,
		.listed = count,
		.summed = skb->ip_summed,
		.protocol = opening->protocol,
	};
}

/*
 * Whether the packet is one of ours, and then all about it. skb->data is at the IP header, as a
 * netfilter ingress hook gets it; nothing is changed, pulled or referenced.
 */
bool xlc_inspect(const struct sk_buff *skb, const struct xlc_expectation *expected,
		 struct xlc_finding *finding)
{
	u32 first_bad = XLC_ALL_WELL;
	struct opening opening;
	unsigned int l4;

	if (!read_opening(skb, &expected->flow, &opening))
		return false;
	l4 = opening.shape->ip_bytes;
	finding->payload_bytes = skb->len - l4 - opening.shape->l4_bytes;
	finding->start = is_tcp(&opening) ? ntohl(tcp_of(&opening)->seq) : 0;
	finding->flags = inspect_ethernet(skb, &expected->flow);
	finding->flags |= is_ip4(&opening) ?
		inspect_ip4(ip4_of(&opening), skb->len, &expected->flow) :
		inspect_ip6(ip6_of(&opening), skb->len, &expected->flow);
	finding->flags |= inspect_l4(&opening, skb->len - l4, &expected->flow);
	finding->flags |= inspect_checksum(skb, &opening);
	identify(&opening, expected, finding);
	inspect_extent(&opening, finding);
	if (finding->index != U32_MAX)
		first_bad = find_bad_byte(skb, &opening, expected, finding);
	describe(skb, &opening, first_bad, finding);
	return true;
}
