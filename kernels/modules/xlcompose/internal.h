/* SPDX-License-Identifier: GPL-2.0-only */
/* xlcompose: what its files know of each other. */
#ifndef XLCOMPOSE_INTERNAL_H
#define XLCOMPOSE_INTERNAL_H

#include <linux/list.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include "xlcompose.h"

#define XLC_HEADERS_MAX	(ETH_HLEN + 40 + 20 + sizeof(struct xlc_mark))
#define XLC_BUFFERS_MAX	(MAX_SKB_FRAGS + 1)

/* headers.c: where things are in a packet of a protocol, and what stands there */
struct xlc_shape {
	__be16 ethertype;
	u8 ipproto;
	u8 ip_bytes;
	u8 l4_bytes;
	u8 check_offset;	/* of the checksum in the L4 header */
};

extern const struct xlc_shape xlc_shapes[XLC_PROTOCOLS];

static inline unsigned int xlc_l4_offset(const struct xlc_shape *shape)
{
	return ETH_HLEN + shape->ip_bytes;
}

static inline unsigned int xlc_header_bytes(const struct xlc_shape *shape)
{
	return xlc_l4_offset(shape) + shape->l4_bytes;
}

struct xlc_headers {
	const struct xlc_flow *flow;
	u64 id;
	u32 length;
	u8 protocol;
};

unsigned int xlc_write_headers(u8 *to, const struct xlc_headers *headers);
__sum16 xlc_pseudo_sum(const u8 *ip, u8 protocol, u32 l4_bytes, __wsum sum);

/* pool.c: compound pages, each used again as soon as nobody else holds it */
struct xlc_buffer {
	struct list_head list;
	struct page *page;
	u8 order;
};

struct xlc_buffer *xlc_pool_get(unsigned int order);
void xlc_pool_put(struct xlc_buffer *buffer);
bool xlc_buffer_held(const struct xlc_buffer *buffer);
void xlc_pool_drain(void);
unsigned long xlc_pool_pages(void);
unsigned long xlc_pool_pages_out(void);

/* batch.c: a whole batch in memory, checked */
struct xlc_job {
	const struct xlc_batch *head;
	struct net_device *dev;
	struct xlc_sent *sent;
	u32 packets;
	u64 started_ns;
	struct xlc_sent_summary summary;
};

int xlc_check_batch(const void *bytes, u32 *packets);
int xlc_check_header(const struct xlc_batch *head);

static inline u32 xlc_frag_size(const struct xlc_frag *frag)
{
	return frag->size[0] | frag->size[1] << 8 | frag->size[2] << 16;
}

static inline const struct xlc_frag *xlc_frags(const struct xlc_record *record)
{
	return (const struct xlc_frag *)(record + 1);
}

static inline const struct xlc_record *xlc_next_record(const struct xlc_record *record)
{
	return (const struct xlc_record *)(xlc_frags(record) + record->frags);
}

u32 xlc_record_length(const struct xlc_record *record);

/* flight.c: an skb on its way, from composing until all its pages are back */
struct xlc_flight {
	struct list_head list;
	struct xlc_sent *result;	/* NULL: nobody waits for it any more */
	void *head;
	u64 submit_ns;
	u64 end_ns;
	u16 end_flags;
	u32 bytes;			/* of the packet */
	u8 buffers;
	bool paged;
	bool ended;			/* the destructor ran; orders all of the end_ fields */
	struct xlc_buffer *buffer[XLC_BUFFERS_MAX];
};

struct xlc_flight *xlc_flight_get(void);
void xlc_flight_launch(struct xlc_flight *flight);
void xlc_flight_drop(struct xlc_flight *flight);
unsigned int xlc_reap(void);
unsigned int xlc_flights_out(void);
bool xlc_flights_fit(const struct xlc_job *job, u32 before, u32 bytes);
void xlc_forget_results(void);
void xlc_destructor(struct sk_buff *skb);
int xlc_flights_init(void);
void xlc_flights_exit(void);

/* compose.c */
struct sk_buff *xlc_compose(const struct xlc_job *job, const struct xlc_record *record, u64 id,
			    struct xlc_flight *flight);

/* transmit.c: composed skbs on their way to a device */
struct xlc_packet {
	struct sk_buff *skb;
	struct xlc_flight *flight;
};

struct xlc_burst {
	unsigned int count;
	struct xlc_packet packet[XLC_BURST_MAX];
};

int xlc_transmit(struct xlc_job *job, struct xlc_burst *burst);

/* send.c: a batch from first to last; pause.c is its patience */
void xlc_send(struct xlc_job *job);
int xlc_pause(const struct xlc_job *job, u64 since_ns);

/* refusal.c: the last reason for which a write was refused */
int __printf(2, 3) xlc_refuse(int error, const char *format, ...);
ssize_t xlc_show_refusal(char *to);

/* inspect.c: is an arrived packet what was sent? */
struct xlc_expectation {
	struct xlc_flow flow;
	u64 seed;
	u64 first_id;
	u32 ids;
};

struct xlc_finding {
	struct xlc_arrival arrival;
	u32 index;
	u32 start;
	u32 payload_bytes;
	u32 whole_bytes;	/* of the payload as sent; 0: this packet does not tell */
	u16 flags;
};

bool xlc_inspect(const struct sk_buff *skb, const struct xlc_expectation *expected,
		 struct xlc_finding *finding);

/* sender.c, receiver.c: the two devices */
int xlc_sender_init(void);
void xlc_sender_exit(void);
int xlc_receiver_init(void);
void xlc_receiver_exit(void);

#endif
