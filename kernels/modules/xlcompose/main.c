// SPDX-License-Identifier: GPL-2.0-only
/* xlcompose: sends skbs of exactly known layout, and tells of every one that arrives. */
#include <linux/module.h>
#include "internal.h"

static int __init xlc_init(void)
{
	int error;

	BUILD_BUG_ON(sizeof(struct xlc_flow) != 56);
	BUILD_BUG_ON(sizeof(struct xlc_batch) != 120);
	BUILD_BUG_ON(sizeof(struct xlc_record) != 16);
	BUILD_BUG_ON(sizeof(struct xlc_frag) != 8);
	BUILD_BUG_ON(sizeof(struct xlc_sent_summary) != 32);
	BUILD_BUG_ON(sizeof(struct xlc_sent) != 16);
	BUILD_BUG_ON(sizeof(struct xlc_arm) != 128);
	BUILD_BUG_ON(sizeof(struct xlc_arrival_summary) != 48);
	BUILD_BUG_ON(sizeof(struct xlc_arrival) != 32);
	error = xlc_sender_init();
	if (error)
		return error;
	error = xlc_receiver_init();
	if (error)
		xlc_sender_exit();
	return error;
}

static void __exit xlc_exit(void)
{
	xlc_receiver_exit();
	xlc_sender_exit();
}

module_init(xlc_init);
module_exit(xlc_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Sends skbs of exactly known layout, and tells of every one that arrives");
