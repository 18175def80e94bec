// SPDX-License-Identifier: GPL-2.0-only
/* A batch from its first packet to the last page that comes back; never drops, waits instead. */
#include <linux/delay.h>
#include <linux/sched/signal.h>
#include "internal.h"

#define PAUSE_MIN_US	20
#define PAUSE_MAX_US	60

/* Let the others work; an error when there is nothing to wait for any more. */
int xlc_pause(const struct xlc_job *job, u64 since_ns)
{
	u64 limit_ns = (u64)le32_to_cpu(job->head->stall_ms) * NSEC_PER_MSEC;

	if (signal_pending(current))
		return -EINTR;
	if (job->dev->reg_state != NETREG_REGISTERED)
		return -ENODEV;
	if (!netif_running(job->dev))
		return -ENETDOWN;
	if (ktime_get_ns() - since_ns > limit_ns)
		return -ETIMEDOUT;
	usleep_range(PAUSE_MIN_US, PAUSE_MAX_US);
	return 0;
}

static bool compose_into(struct xlc_job *job, struct xlc_burst *burst,
			 const struct xlc_record *record, u64 id, struct xlc_sent *sent)
{
	struct xlc_packet *packet = &burst->packet[burst->count];

	packet->flight = xlc_flight_get();
	if (!packet->flight)
		return false;
	packet->skb = xlc_compose(job, record, id, packet->flight);
	if (!packet->skb) {
		xlc_flight_drop(packet->flight);
		return false;
	}
	packet->flight->result = sent;
	burst->count++;
	return true;
}

static int send_one(struct xlc_job *job, struct xlc_burst *burst, const struct xlc_record *record,
		    u64 id, struct xlc_sent *sent)
{
	u64 since_ns = ktime_get_ns();
	int error = 0;

	while (!compose_into(job, burst, record, id, sent)) {
		bool given = burst->count;

		/* What waits in the burst holds the very memory that is missing. */
		error = xlc_transmit(job, burst);
		if (error)
			return error;
		if (xlc_reap() || given)
			since_ns = ktime_get_ns();
		else
			error = xlc_flights_out() ? xlc_pause(job, since_ns) : -ENOMEM;
		if (error)
			return error;
	}
	if (burst->count >= job->head->burst)
		error = xlc_transmit(job, burst);
	return error;
}

static int send_record(struct xlc_job *job, struct xlc_burst *burst,
		       const struct xlc_record *record, u32 *index)
{
	unsigned int repeat = le16_to_cpu(record->repeat);
	u64 first_id = le64_to_cpu(job->head->first_id);
	int error = 0;

	for (; repeat && !error; repeat--, ++*index) {
		struct xlc_sent *sent = &job->sent[*index];

		/* Else nothing is looked at, and nobody let in, as long as the device takes all. */
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		if (record->plant & XLC_PLANT_OMIT) {
			sent->flags = cpu_to_le16(XLC_SENT_OMITTED);
			continue;
		}
		error = send_one(job, burst, record, first_id + *index, sent);
		if (!error && record->plant & XLC_PLANT_DUPLICATE)
			error = send_one(job, burst, record, first_id + *index, NULL);
	}
	return error;
}

static void drain(struct xlc_job *job)
{
	u64 limit_ns = (u64)le32_to_cpu(job->head->drain_ms) * NSEC_PER_MSEC;
	u64 since_ns = ktime_get_ns();

	for (;;) {
		xlc_reap();
		if (!xlc_flights_out() || signal_pending(current) ||
		    ktime_get_ns() - since_ns > limit_ns)
			break;
		usleep_range(PAUSE_MIN_US, PAUSE_MAX_US);
	}
	job->summary.drain_us = cpu_to_le32(div_u64(ktime_get_ns() - since_ns, NSEC_PER_USEC));
	job->summary.outstanding = cpu_to_le32(xlc_flights_out());
}

/* The batch has been checked; results and summary are complete afterwards. */
void xlc_send(struct xlc_job *job)
{
	const struct xlc_record *record = (const struct xlc_record *)(job->head + 1);
	u32 left = le32_to_cpu(job->head->records);
	struct xlc_burst burst = { .count = 0 };
	u32 index = 0;
	int error = 0;

	job->started_ns = ktime_get_ns();
	for (; left && !error; left--) {
		error = send_record(job, &burst, record, &index);
		record = xlc_next_record(record);
	}
	if (!error)
		error = xlc_transmit(job, &burst);
	else
		xlc_transmit(job, &burst);
	job->summary.compose_us = cpu_to_le32(div_u64(ktime_get_ns() - job->started_ns,
						      NSEC_PER_USEC));
	job->summary.error = cpu_to_le32(-error);
	drain(job);
	xlc_forget_results();
}
