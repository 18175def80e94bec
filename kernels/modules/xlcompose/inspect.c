// SPDX-License-Identifier: GPL-2.0-only
/* An arrived packet, compared with what was sent: which one it is, and every byte of it. */
#include <net/ipv6.h>
#include "opening.h"
#include "payload.h"

static u32 index_in_headers(const struct xlc_opening *opening, u64 first_id)
{
	if (xlc_is_tcp(opening))
		return ntohl(xlc_tcp(opening)->ack_seq) - (u32)first_id;
	if (xlc_is_ip4(opening))
		return (ntohs(xlc_ip4(opening)->id) - first_id) & 0xffff;
	return (ntohl(ip6_flowlabel(xlc_ip6(opening))) - first_id) & 0xffff;
}

static void identify(const struct xlc_opening *opening, const struct xlc_expectation *expected,
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

static void inspect_extent(const struct xlc_opening *opening, struct xlc_finding *finding)
{
	u32 whole = finding->whole_bytes;

	if (finding->start || (xlc_is_tcp(opening) && finding->payload_bytes < whole))
		finding->flags |= XLC_IS_PART;
	else if (whole && finding->payload_bytes != whole)
		finding->flags |= XLC_BAD_LENGTH;
}

/* A gso_segs of 0 leaves the counting to the stack, as netfront does. */
static void inspect_segments(const struct sk_buff *skb, struct xlc_finding *finding)
{
	u32 size = skb_shinfo(skb)->gso_size;
	u32 told = skb_shinfo(skb)->gso_segs;

	if (size && told && told != DIV_ROUND_UP(finding->payload_bytes, size))
		finding->flags |= XLC_BAD_SEGMENTS;
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

static u32 find_bad_byte(const struct sk_buff *skb, const struct xlc_opening *opening,
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

static void describe(const struct sk_buff *skb, const struct xlc_opening *opening, u32 first_bad,
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
	struct xlc_opening opening;

	if (!xlc_read_opening(skb, &expected->flow, &opening))
		return false;
	finding->payload_bytes = skb->len - opening.shape->ip_bytes - opening.shape->l4_bytes;
	finding->start = xlc_is_tcp(&opening) ? ntohl(xlc_tcp(&opening)->seq) : 0;
	finding->flags = xlc_inspect_opening(skb, &opening, &expected->flow);
	identify(&opening, expected, finding);
	inspect_extent(&opening, finding);
	inspect_segments(skb, finding);
	if (finding->index != U32_MAX)
		first_bad = find_bad_byte(skb, &opening, expected, finding);
	describe(skb, &opening, first_bad, finding);
	return true;
}
