// SPDX-License-Identifier: GPL-2.0-only
/* Composed skbs on their way to a device: through the stack, or straight to its driver. */
#include <linux/netdevice.h>
#include "internal.h"

static struct netdev_queue *pick_queue(const struct xlc_job *job, struct sk_buff *skb)
{
	const struct net_device_ops *ops = job->dev->netdev_ops;
	unsigned int index = le16_to_cpu(job->head->queue);

	/* Else that of the last time is taken for the queue that it was received by. */
	skb_set_queue_mapping(skb, 0);
	if (index == XLC_QUEUE_ANY)
		index = ops->ndo_select_queue ? ops->ndo_select_queue(job->dev, skb, NULL) : 0;
	/* The number of queues may change under us, when a vif connects again. */
	if (index >= job->dev->real_num_tx_queues)
		index = 0;
	skb_set_queue_mapping(skb, index);
	return netdev_get_tx_queue(job->dev, index);
}

static bool may_start(const struct xlc_job *job, const struct netdev_queue *queue,
		      const struct xlc_flight *flight)
{
	return !netif_xmit_frozen_or_stopped(queue) && xlc_flights_fit(job, 0, flight->bytes);
}

/* For a packet, while nothing came back since then; an error when it is not worth while. */
static int wait_once(const struct xlc_job *job, const struct xlc_flight *flight, u64 *since_ns)
{
	struct xlc_sent *sent = flight->result;

	if (sent && le16_to_cpu(sent->waits) < U16_MAX)
		le16_add_cpu(&sent->waits, 1);
	if (xlc_reap())
		*since_ns = ktime_get_ns();
	return xlc_pause(job, *since_ns);
}

static unsigned int count_held(const struct xlc_flight *flight)
{
	unsigned int held = 0;
	unsigned int i;

	for (i = 1; i < flight->buffers; i++)	/* the first one is the linear part's */
		held += xlc_buffer_held(flight->buffer[i]);
	return held;
}

/* What is known right after the call; the rest is told when the flight is over. */
static void note_call(const struct xlc_job *job, const struct xlc_flight *flight, int result,
		      unsigned long dropped)
{
	struct xlc_sent *sent = flight->result;
	u16 flags = XLC_SENT_GIVEN;

	if (!sent)
		return;
	if (READ_ONCE(flight->ended))
		flags |= XLC_SENT_IN_CALL;
	if (dropped)
		flags |= XLC_SENT_DROPPED;
	sent->flags |= cpu_to_le16(flags);
	sent->result = max(result, -128);
	sent->held = count_held(flight);
	sent->dropped = cpu_to_le16(min_t(unsigned long, dropped, U16_MAX));
	sent->submit_us = cpu_to_le32(div_u64(flight->submit_ns - job->started_ns, NSEC_PER_USEC));
}

static void count_given(struct xlc_job *job)
{
	le32_add_cpu(&job->summary.given, 1);
}

static bool start_one(struct xlc_job *job, struct xlc_packet *packet, struct netdev_queue *queue,
		      bool more)
{
	unsigned long dropped = READ_ONCE(job->dev->stats.tx_dropped);
	int result;

	packet->flight->submit_ns = ktime_get_ns();
	result = netdev_start_xmit(packet->skb, job->dev, queue, more);
	if (!dev_xmit_complete(result))
		return false;
	dropped = READ_ONCE(job->dev->stats.tx_dropped) - dropped;
	note_call(job, packet->flight, result, dropped);
	xlc_flight_launch(packet->flight);
	count_given(job);
	return true;
}

/*
 * Whether the packet behind `at` goes under the same lock. Only then may a driver put off telling
 * its device (netdev_xmit_more()): whatever else keeps that packet back comes from the driver.
 */
static bool has_successor(const struct xlc_job *job, const struct xlc_burst *burst,
			  unsigned int at, const struct netdev_queue *queue)
{
	const struct xlc_packet *packet = &burst->packet[at];

	return at + 1 < burst->count &&
		xlc_flights_fit(job, packet[0].flight->bytes, packet[1].flight->bytes) &&
		pick_queue(job, packet[1].skb) == queue;
}

/* As many as go under one lock, from `at` on; where the next one is. */
static unsigned int start_some(struct xlc_job *job, struct xlc_burst *burst, unsigned int at,
			       struct netdev_queue *queue)
{
	local_bh_disable();
	HARD_TX_LOCK(job->dev, queue, smp_processor_id());
	while (at < burst->count && !netif_xmit_frozen_or_drv_stopped(queue) &&
	       xlc_flights_fit(job, 0, burst->packet[at].flight->bytes)) {
		bool more = has_successor(job, burst, at, queue);

		if (!start_one(job, &burst->packet[at], queue, more))
			break;
		at++;
		if (!more)
			break;
	}
	HARD_TX_UNLOCK(job->dev, queue);
	local_bh_enable();
	return at;
}

/* Who refuses a packet with NETDEV_TX_BUSY and lets the queue run is waited for as well. */
static int transmit_direct(struct xlc_job *job, struct xlc_burst *burst, unsigned int *at)
{
	u64 since_ns = ktime_get_ns();

	while (*at < burst->count) {
		struct xlc_packet *packet = &burst->packet[*at];
		struct netdev_queue *queue = pick_queue(job, packet->skb);
		unsigned int next = *at;
		int error;

		if (may_start(job, queue, packet->flight))
			next = start_some(job, burst, *at, queue);
		if (next != *at) {
			*at = next;
			since_ns = ktime_get_ns();
			continue;
		}
		error = wait_once(job, packet->flight, &since_ns);
		if (error)
			return error;
	}
	return 0;
}

static int wait_for_turn(const struct xlc_job *job, const struct xlc_packet *packet)
{
	u64 since_ns = ktime_get_ns();
	int error = 0;

	while (!error && !may_start(job, pick_queue(job, packet->skb), packet->flight))
		error = wait_once(job, packet->flight, &since_ns);
	return error;
}

static int transmit_real(struct xlc_job *job, struct xlc_burst *burst, unsigned int *at)
{
	for (; *at < burst->count; ++*at) {
		struct xlc_packet *packet = &burst->packet[*at];
		int error = wait_for_turn(job, packet);
		int result;

		if (error)
			return error;
		packet->flight->submit_ns = ktime_get_ns();
		skb_set_queue_mapping(packet->skb, 0);	/* the stack picks for itself */
		local_bh_disable();
		result = dev_queue_xmit(packet->skb);
		note_call(job, packet->flight, result, 0);
		local_bh_enable();
		xlc_flight_launch(packet->flight);
		count_given(job);
	}
	return 0;
}

/* Empty the burst: everything is given away, or an error is returned and the rest is freed. */
int xlc_transmit(struct xlc_job *job, struct xlc_burst *burst)
{
	unsigned int at = 0;
	int error;

	if (job->head->mode == XLC_MODE_DIRECT)
		error = transmit_direct(job, burst, &at);
	else
		error = transmit_real(job, burst, &at);
	for (; at < burst->count; at++) {
		burst->packet[at].skb->destructor = NULL;
		kfree_skb(burst->packet[at].skb);
		xlc_flight_drop(burst->packet[at].flight);
	}
	burst->count = 0;
	return error;
}
