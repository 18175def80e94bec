// SPDX-License-Identifier: GPL-2.0-only
/* One skb of exactly the layout that a record tells. */
#include <linux/etherdevice.h>
#include <linux/mm.h>
#include <linux/tcp.h>
#include <net/checksum.h>
#include "internal.h"
#include "payload.h"

/* The bytes of a packet, written from first to last into whatever buffers its layout has. */
struct content {
	u8 headers[XLC_HEADERS_MAX];
	unsigned int headers_len;	/* with the mark */
	unsigned int payload_at;
	unsigned int at;
	u64 base;
};

static void write_content(struct content *content, u8 *to, unsigned int len)
{
	if (content->at < content->headers_len) {
		unsigned int some = min(len, content->headers_len - content->at);

		memcpy(to, content->headers + content->at, some);
		content->at += some;
		to += some;
		len -= some;
	}
	xlc_fill(to, len, content->at - content->payload_at, content->base);
	content->at += len;
}

static struct page *take_page(struct xlc_flight *flight, unsigned int order)
{
	struct xlc_buffer *buffer = xlc_pool_get(order);

	if (!buffer)
		return NULL;
	flight->buffer[flight->buffers++] = buffer;
	get_page(buffer->page);
	return buffer->page;
}

/*
 * skb->data lies `offset` bytes into a page, and the headroom before it as far as it goes: in the
 * page before, if need be. build_skb() keeps skb_shared_info at the end of the buffer.
 */
static struct sk_buff *build_linear(const struct xlc_job *job, const struct xlc_record *record,
				    struct xlc_flight *flight)
{
	u32 headroom = le16_to_cpu(job->head->headroom);
	u32 offset = le16_to_cpu(record->linear_offset);
	u32 linear = le32_to_cpu(record->linear_bytes);
	unsigned int order;
	struct sk_buff *skb;
	struct page *page;
	u32 begin;

	if (headroom == XLC_HEADROOM_PAGE)
		headroom = offset;
	begin = offset - headroom + (headroom > offset ? PAGE_SIZE : 0);
	order = get_order(begin + headroom + linear +
			  SKB_DATA_ALIGN(sizeof(struct skb_shared_info)));
	page = take_page(flight, order);

	if (!page)
		return NULL;
	skb = build_skb(page_address(page) + begin, (PAGE_SIZE << order) - begin);
	if (!skb) {
		put_page(page);
		return NULL;
	}
	skb_reserve(skb, headroom);
	skb_put(skb, linear);
	return skb;
}

static int add_frags(struct sk_buff *skb, const struct xlc_record *record,
		     struct xlc_flight *flight)
{
	const struct xlc_frag *frag = xlc_frags(record);
	unsigned int i;

	for (i = 0; i < record->frags; i++) {
		struct page *page = take_page(flight, frag[i].order);
		u32 size = xlc_frag_size(&frag[i]);

		if (!page)
			return -ENOMEM;
		skb_fill_page_desc(skb, i, page, le32_to_cpu(frag[i].offset), size);
		skb->len += size;
		skb->data_len += size;
		skb->truesize += PAGE_SIZE << frag[i].order;
	}
	flight->paged = skb->data_len;
	return 0;
}

static void write_all(struct sk_buff *skb, struct content *content)
{
	unsigned int i;

	write_content(content, skb->data, skb_headlen(skb));
	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++) {
		const skb_frag_t *frag = &skb_shinfo(skb)->frags[i];

		write_content(content, skb_frag_address(frag), skb_frag_size(frag));
	}
}

/* No part of the headers need be linear: skb_store_bits() finds the field wherever it is. */
static void complete_sum(struct sk_buff *skb, const struct xlc_shape *shape, u8 protocol,
			 const u8 *headers)
{
	unsigned int l4 = xlc_l4_offset(shape);
	__sum16 sum = 0;

	skb_store_bits(skb, l4 + shape->check_offset, &sum, sizeof(sum));
	sum = xlc_pseudo_sum(headers + ETH_HLEN, protocol, skb->len - l4,
			     skb_checksum(skb, l4, skb->len - l4, 0));
	if (!sum && shape->ipproto == IPPROTO_UDP)
		sum = CSUM_MANGLED_0;
	skb_store_bits(skb, l4 + shape->check_offset, &sum, sizeof(sum));
}

static void set_metadata(struct sk_buff *skb, const struct xlc_record *record,
			 const struct xlc_shape *shape)
{
	unsigned int gso_size = le16_to_cpu(record->gso_size);

	skb->protocol = shape->ethertype;
	skb_reset_mac_header(skb);
	skb_set_network_header(skb, ETH_HLEN);
	skb_set_transport_header(skb, xlc_l4_offset(shape));
	skb->mac_len = ETH_HLEN;
	if (record->checksum == XLC_CSUM_PARTIAL) {
		skb->ip_summed = CHECKSUM_PARTIAL;
		skb->csum_start = skb_headroom(skb) + xlc_l4_offset(shape);
		skb->csum_offset = shape->check_offset;
	}
	if (!gso_size)
		return;
	skb_shinfo(skb)->gso_size = gso_size;
	skb_shinfo(skb)->gso_type = record->protocol == XLC_TCP4 ? SKB_GSO_TCPV4 : SKB_GSO_TCPV6;
	skb_shinfo(skb)->gso_segs = max_t(unsigned int, 1, DIV_ROUND_UP(skb->len -
					  xlc_header_bytes(shape), gso_size));
}

static void corrupt(struct sk_buff *skb, unsigned int at)
{
	u8 byte;

	skb_copy_bits(skb, at, &byte, sizeof(byte));
	byte = ~byte;
	skb_store_bits(skb, at, &byte, sizeof(byte));
}

static void write_packet(struct sk_buff *skb, const struct xlc_job *job,
			 const struct xlc_record *record, u64 id)
{
	const struct xlc_shape *shape = &xlc_shapes[record->protocol];
	struct xlc_headers headers = {
		.flow = &job->head->flow,
		.id = id,
		.length = skb->len,
		.protocol = record->protocol,
	};
	struct content content;

	content.headers_len = xlc_write_headers(content.headers, &headers);
	content.payload_at = xlc_header_bytes(shape);
	content.at = 0;
	content.base = xlc_base(le64_to_cpu(job->head->seed), id);
	write_all(skb, &content);
	if (record->checksum == XLC_CSUM_NONE)
		complete_sum(skb, shape, record->protocol, content.headers);
	if (record->plant & XLC_PLANT_CORRUPT)
		corrupt(skb, content.payload_at + le16_to_cpu(record->plant_offset));
}

/*
 * The skb, with its pages noted in the flight; NULL when memory must come back first, and then
 * the flight is empty again.
 */
struct sk_buff *xlc_compose(const struct xlc_job *job, const struct xlc_record *record, u64 id,
			    struct xlc_flight *flight)
{
	struct sk_buff *skb = build_linear(job, record, flight);

	if (!skb)
		return NULL;
	if (add_frags(skb, record, flight)) {
		kfree_skb(skb);
		return NULL;
	}
	skb->dev = job->dev;
	set_metadata(skb, record, &xlc_shapes[record->protocol]);
	write_packet(skb, job, record, id);
	flight->head = skb->head;
	flight->bytes = skb->len;
	skb_shinfo(skb)->destructor_arg = flight;
	skb->destructor = xlc_destructor;
	return skb;
}
