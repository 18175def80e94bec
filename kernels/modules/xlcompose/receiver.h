/* SPDX-License-Identifier: GPL-2.0-only */
/* xlcompose: one armed receiver; receiver.c is its device, arrivals.c its memory. */
#ifndef XLCOMPOSE_RECEIVER_H
#define XLCOMPOSE_RECEIVER_H

#include <linux/netfilter.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include "internal.h"

/* What has come of one id. */
struct xlc_seen {
	u32 bytes;
	u16 packets;
	bool opened;	/* its first payload byte, or all of an empty one */
};

struct xlc_receiver {
	struct list_head list;
	struct nf_hook_ops hook;
	struct net_device *dev;		/* NULL: not hooked */
	struct xlc_expectation expected;
	spinlock_t lock;		/* from here to `summary`, while hooked */
	struct xlc_arrival *arrivals;
	struct xlc_seen *seen;
	u32 count;
	u32 capacity;
	u64 armed_ns;
	u64 last_ns;
	bool ended;
	u64 settling_ns;		/* since when nothing more is sent; 0: not yet */
	bool nudged;			/* whoever waits should look at the clock again */
	enum xlc_end end;
	struct xlc_arrival_summary summary;
	atomic_t passed;
	u32 want_packets;
	u64 want_bytes;
	u32 new_packets;		/* that were no duplicates */
	u64 new_bytes;
	u64 idle_ns;
	u64 timeout_ns;
	wait_queue_head_t wait;
	bool told;			/* the summary is ready to be read */
	size_t told_bytes;
};

int xlc_check_arm(const struct xlc_arm *arm);
int xlc_receiver_prepare(struct xlc_receiver *receiver, const struct xlc_arm *arm);
void xlc_receiver_note(struct xlc_receiver *receiver, struct xlc_finding *finding);
void xlc_receiver_settle(struct xlc_receiver *receiver, const struct xlc_arm *arm);
void xlc_receiver_end(struct xlc_receiver *receiver, enum xlc_end end);
int xlc_receiver_wait(struct xlc_receiver *receiver);
void xlc_receiver_summarise(struct xlc_receiver *receiver);
ssize_t xlc_receiver_tell(struct xlc_receiver *receiver, char __user *to, size_t bytes);

#endif
