// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flights: skbs from composing until they and all their pages are back.
 *
 * The destructor only takes notes, in whatever context the skb ends; a flight is over when the
 * destructor was seen and nobody holds any of its pages. Everything else runs in the sender's
 * process, one at a time.
 */
#include <linux/slab.h>
#include "internal.h"

/* More than a ring of 256 and the queueing discipline in front of it need at once. */
#define FLIGHTS 512

static struct xlc_flight *flights;
static LIST_HEAD(waiting);
static LIST_HEAD(flying);
static unsigned int flying_count;
static u64 flying_bytes;

int xlc_flights_init(void)
{
	unsigned int i;

	flights = kvcalloc(FLIGHTS, sizeof(*flights), GFP_KERNEL);
	if (!flights)
		return -ENOMEM;
	for (i = 0; i < FLIGHTS; i++)
		list_add_tail(&flights[i].list, &waiting);
	return 0;
}

/* Only when none is out. */
void xlc_flights_exit(void)
{
	WARN_ON(flying_count);
	kvfree(flights);
}

struct xlc_flight *xlc_flight_get(void)
{
	struct xlc_flight *flight = list_first_entry_or_null(&waiting, struct xlc_flight, list);

	if (!flight)
		return NULL;
	list_del(&flight->list);
	flight->result = NULL;
	flight->end_flags = 0;
	flight->buffers = 0;
	flight->paged = false;
	WRITE_ONCE(flight->ended, false);
	return flight;
}

/* Its skb is somebody else's from now on. */
void xlc_flight_launch(struct xlc_flight *flight)
{
	list_add_tail(&flight->list, &flying);
	flying_count++;
	flying_bytes += flight->bytes;
}

static void land(struct xlc_flight *flight)
{
	while (flight->buffers)
		xlc_pool_put(flight->buffer[--flight->buffers]);
	list_add(&flight->list, &waiting);
}

/* Its skb was never given away and is gone. */
void xlc_flight_drop(struct xlc_flight *flight)
{
	land(flight);
}

static bool is_over(const struct xlc_flight *flight)
{
	unsigned int i;

	/* Pairs with the destructor's release: the end_ fields are complete. */
	if (!smp_load_acquire(&flight->ended))
		return false;
	for (i = 0; i < flight->buffers; i++)
		if (xlc_buffer_held(flight->buffer[i]))
			return false;
	return true;
}

static void report(const struct xlc_flight *flight)
{
	struct xlc_sent *sent = flight->result;
	u64 latency_us = div_u64(flight->end_ns - flight->submit_ns, NSEC_PER_USEC);

	sent->flags |= cpu_to_le16(flight->end_flags);
	sent->latency_us = cpu_to_le32(min_t(u64, latency_us, U32_MAX));
}

/* Take back what has come back; how many flights that were. */
unsigned int xlc_reap(void)
{
	struct xlc_flight *flight, *next;
	unsigned int reaped = 0;

	list_for_each_entry_safe(flight, next, &flying, list) {
		if (!is_over(flight))
			continue;
		if (flight->result)
			report(flight);
		list_del(&flight->list);
		flying_bytes -= flight->bytes;
		land(flight);
		reaped++;
	}
	flying_count -= reaped;
	return reaped;
}

unsigned int xlc_flights_out(void)
{
	return READ_ONCE(flying_count);
}

/*
 * Whether so many bytes more may be under way, behind those that are launched before. A vif drops
 * what finds more than 512 KiB in its queue (xenvif_rx_queue_tail()): who wants to send without
 * loss stays below that. What is alone may be of any length.
 */
bool xlc_flights_fit(const struct xlc_job *job, u32 before, u32 bytes)
{
	u64 window = (u64)le16_to_cpu(job->head->window_kib) << 10;
	u64 ahead = flying_bytes + before;

	return !window || !ahead || ahead + bytes <= window;
}

/* The results are about to go away: what is still out tells what it knows, and no more later. */
void xlc_forget_results(void)
{
	struct xlc_flight *flight;

	list_for_each_entry(flight, &flying, list) {
		/* Pairs with the destructor's release: the end_ fields are complete. */
		if (flight->result && smp_load_acquire(&flight->ended))
			report(flight);
		flight->result = NULL;
	}
}

/* The skb is still whole here: what became of its layout can be seen, whoever ends it and when. */
void xlc_destructor(struct sk_buff *skb)
{
	struct xlc_flight *flight = skb_shinfo(skb)->destructor_arg;
	u16 flags = XLC_SENT_COMPLETED;

	if (skb->head != flight->head)
		flags |= XLC_SENT_HEAD_MOVED;
	if (flight->paged && !skb->data_len)
		flags |= XLC_SENT_LINEARISED;
	else if (skb->head == flight->head)
		flags |= XLC_SENT_INTACT;
	flight->end_flags = flags;
	flight->end_ns = ktime_get_ns();
	/* Pairs with the acquires in is_over() and xlc_forget_results(). */
	smp_store_release(&flight->ended, true);
}
