// SPDX-License-Identifier: GPL-2.0-only
/* The arrivals of one armed receiver: noted in interrupts, waited for and told in a process. */
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "receiver.h"

#define CAPACITY_MAX	BIT(20)

#define XLC_BAD	(XLC_BAD_PAYLOAD | XLC_BAD_MARK | XLC_BAD_LENGTH | XLC_BAD_ETHERNET | \
		 XLC_BAD_IP | XLC_BAD_L4 | XLC_BAD_CHECKSUM | XLC_BAD_ID | XLC_BAD_SEGMENTS)

int xlc_check_arm(const struct xlc_arm *arm)
{
	u32 ids = le32_to_cpu(arm->ids);
	u32 capacity = le32_to_cpu(arm->capacity);

	if (le32_to_cpu(arm->magic) != XLC_ARM_MAGIC)
		return xlc_refuse(-EINVAL, "not an order to arm: magic %#x",
				  le32_to_cpu(arm->magic));
	if (le16_to_cpu(arm->version) != XLC_VERSION ||
	    le16_to_cpu(arm->header_bytes) != sizeof(*arm))
		return xlc_refuse(-EPROTO, "order of version %u and %u bytes, not %u and %zu",
				  le16_to_cpu(arm->version), le16_to_cpu(arm->header_bytes),
				  XLC_VERSION, sizeof(*arm));
	if (le32_to_cpu(arm->op) == XLC_OP_FINISH)
		return 0;
	if (le32_to_cpu(arm->op) != XLC_OP_ARM)
		return xlc_refuse(-EINVAL, "operation %u is unknown", le32_to_cpu(arm->op));
	if (!ids || ids > XLC_IDS_MAX || !capacity || capacity > CAPACITY_MAX)
		return xlc_refuse(-EINVAL, "%u ids, not 1 to %u; room for %u, not 1 to %lu", ids,
				  XLC_IDS_MAX, capacity, CAPACITY_MAX);
	return 0;
}

int xlc_receiver_prepare(struct xlc_receiver *receiver, const struct xlc_arm *arm)
{
	u32 ids = le32_to_cpu(arm->ids);

	receiver->capacity = le32_to_cpu(arm->capacity);
	receiver->seen = kvcalloc(ids, sizeof(*receiver->seen), GFP_KERNEL);
	receiver->arrivals = kvmalloc_array(receiver->capacity, sizeof(*receiver->arrivals),
					    GFP_KERNEL);
	if (!receiver->arrivals || !receiver->seen) {
		kvfree(receiver->arrivals);
		kvfree(receiver->seen);
		receiver->arrivals = NULL;
		receiver->seen = NULL;
		return xlc_refuse(-ENOMEM, "no memory for %u arrivals", receiver->capacity);
	}
	receiver->expected = (struct xlc_expectation) {
		.flow = arm->flow,
		.seed = le64_to_cpu(arm->seed),
		.first_id = le64_to_cpu(arm->first_id),
		.ids = ids,
	};
	receiver->want_packets = le32_to_cpu(arm->want_packets);
	receiver->want_bytes = le64_to_cpu(arm->want_bytes);
	receiver->idle_ns = (u64)le32_to_cpu(arm->idle_ms) * NSEC_PER_MSEC;
	receiver->timeout_ns = (u64)le32_to_cpu(arm->timeout_ms) * NSEC_PER_MSEC;
	receiver->armed_ns = ktime_get_ns();
	return 0;
}

static void end_locked(struct xlc_receiver *receiver, enum xlc_end end)
{
	if (receiver->ended)
		return;
	receiver->end = end;
	WRITE_ONCE(receiver->ended, true);
	wake_up(&receiver->wait);
}

void xlc_receiver_end(struct xlc_receiver *receiver, enum xlc_end end)
{
	spin_lock_bh(&receiver->lock);
	end_locked(receiver, end);
	spin_unlock_bh(&receiver->lock);
}

/* No more is to come: from now on only what is under way is waited for, idle_ms at a time. */
void xlc_receiver_settle(struct xlc_receiver *receiver, const struct xlc_arm *arm)
{
	spin_lock_bh(&receiver->lock);
	receiver->settling_ns = ktime_get_ns();
	receiver->idle_ns = (u64)le32_to_cpu(arm->idle_ms) * NSEC_PER_MSEC;
	WRITE_ONCE(receiver->nudged, true);
	wake_up(&receiver->wait);
	spin_unlock_bh(&receiver->lock);
}

/* The same bytes twice: the beginning came before, or there is more than was sent. */
static bool is_duplicate(const struct xlc_seen *seen, const struct xlc_finding *finding)
{
	if (!finding->start && seen->opened)
		return true;
	return finding->whole_bytes && seen->bytes + finding->payload_bytes > finding->whole_bytes;
}

static void note_id(struct xlc_receiver *receiver, struct xlc_finding *finding)
{
	struct xlc_seen *seen = &receiver->seen[finding->index];

	if (is_duplicate(seen, finding)) {
		finding->flags |= XLC_DUPLICATE;
		le32_add_cpu(&receiver->summary.duplicates, 1);
	}
	if (!seen->packets)
		le32_add_cpu(&receiver->summary.ids_seen, 1);
	if (seen->packets < U16_MAX)
		seen->packets++;
	seen->bytes += finding->payload_bytes;
	seen->opened |= !finding->start;
}

/* From the hook, with bottom halves off. */
void xlc_receiver_note(struct xlc_receiver *receiver, struct xlc_finding *finding)
{
	struct xlc_arrival_summary *summary = &receiver->summary;
	u64 now_ns = ktime_get_ns();

	finding->arrival.time_us = cpu_to_le32(div_u64(now_ns - receiver->armed_ns,
						       NSEC_PER_USEC));
	spin_lock(&receiver->lock);
	receiver->last_ns = now_ns;
	if (finding->index != U32_MAX)
		note_id(receiver, finding);
	if (finding->flags & XLC_BAD)
		le32_add_cpu(&summary->bad, 1);
	le64_add_cpu(&summary->payload_bytes, finding->payload_bytes);
	finding->arrival.flags = cpu_to_le16(finding->flags);
	if (receiver->count < receiver->capacity)
		receiver->arrivals[receiver->count++] = finding->arrival;
	else
		le32_add_cpu(&summary->overflow, 1);
	if (!(finding->flags & XLC_DUPLICATE)) {
		receiver->new_packets++;
		receiver->new_bytes += finding->payload_bytes;
	}
	if (receiver->new_packets >= receiver->want_packets &&
	    receiver->new_bytes >= receiver->want_bytes)
		end_locked(receiver, XLC_END_COMPLETE);
	spin_unlock(&receiver->lock);
}

/*
 * Nanoseconds until it is worth looking again: arrivals wake nobody before the last one, so that
 * is never longer than the idle time. 0: nothing need be waited for any more.
 */
static u64 time_left(struct xlc_receiver *receiver)
{
	u64 now_ns = ktime_get_ns();
	u64 timeout_ns, idle_ns, last_ns;

	spin_lock_bh(&receiver->lock);
	last_ns = max(receiver->last_ns, receiver->settling_ns);
	timeout_ns = receiver->armed_ns + receiver->timeout_ns;
	idle_ns = last_ns ? last_ns + receiver->idle_ns : timeout_ns;
	if (now_ns >= timeout_ns)
		end_locked(receiver, XLC_END_TIMEOUT);
	else if (now_ns >= idle_ns)
		end_locked(receiver, receiver->settling_ns ? XLC_END_FINISHED : XLC_END_IDLE);
	WRITE_ONCE(receiver->nudged, false);
	spin_unlock_bh(&receiver->lock);
	if (READ_ONCE(receiver->ended))
		return 0;
	return min(min(timeout_ns, idle_ns) - now_ns, max_t(u64, receiver->idle_ns, 1));
}

/* Until what was wanted is there or time is up, whichever is first; -ERESTARTSYS for a signal. */
int xlc_receiver_wait(struct xlc_receiver *receiver)
{
	u64 left_ns;
	long left;

	while ((left_ns = time_left(receiver))) {
		left = wait_event_interruptible_timeout(receiver->wait,
							READ_ONCE(receiver->ended) ||
							READ_ONCE(receiver->nudged),
							nsecs_to_jiffies(left_ns) + 1);
		if (left < 0)
			return left;
	}
	return 0;
}

/* Once the hook is gone. */
void xlc_receiver_summarise(struct xlc_receiver *receiver)
{
	struct xlc_arrival_summary *summary = &receiver->summary;
	u64 elapsed_ns = receiver->last_ns ? receiver->last_ns - receiver->armed_ns : 0;

	summary->magic = cpu_to_le32(XLC_ARRIVAL_MAGIC);
	summary->version = cpu_to_le16(XLC_VERSION);
	summary->header_bytes = cpu_to_le16(sizeof(*summary));
	summary->arrivals = cpu_to_le32(receiver->count);
	summary->passed = cpu_to_le32(atomic_read(&receiver->passed));
	summary->end = cpu_to_le32(receiver->end);
	summary->elapsed_us = cpu_to_le32(div_u64(elapsed_ns, NSEC_PER_USEC));
	receiver->told = true;
}

/* The next bytes of the summary and the arrivals behind it; 0 when all is told. */
ssize_t xlc_receiver_tell(struct xlc_receiver *receiver, char __user *to, size_t bytes)
{
	size_t head = sizeof(receiver->summary);
	size_t at = receiver->told_bytes;
	const void *from = (const void *)&receiver->summary + at;
	size_t left = head - at;

	if (at >= head) {
		from = (const void *)receiver->arrivals + at - head;
		left = receiver->count * sizeof(*receiver->arrivals) - (at - head);
	}
	bytes = min(bytes, left);
	if (copy_to_user(to, from, bytes))
		return -EFAULT;
	receiver->told_bytes += bytes;
	return bytes;
}
