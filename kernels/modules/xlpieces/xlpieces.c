// SPDX-License-Identifier: GPL-2.0-only
/*
 * xlpieces: memory in pieces. Plenty of it is free, and no free block has more than 2^order pages.
 *
 * Each larger block that is free is taken, and given back but for its first page: what lies around
 * that page never makes a larger block again. Blocks that come up later, because somebody gave back
 * what lies side by side, are taken within XLPIECES_MS. All of it is free again without the module.
 */
#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#define XLPIECES_MS 8

static uint order;
module_param(order, uint, 0444);
MODULE_PARM_DESC(order, "no free block has more than 2^order pages");

static ulong kept;
module_param(kept, ulong, 0444);
MODULE_PARM_DESC(kept, "so many pages are kept, one of each 2^(order+1) that were free as one");

static ulong quiet;
module_param(quiet, ulong, 0444);
MODULE_PARM_DESC(quiet, "so many looks in a row have found no larger block");

static LIST_HEAD(xlpieces_pages);

/* A zone gives nothing of what it keeps for those that can do with no other, who are we. */
static const gfp_t xlpieces_zones[] = { __GFP_DMA, __GFP_DMA32, 0 };

/*
 * What anybody is given; what is kept for those who cannot wait (mm/page_alloc.c,
 * MIGRATE_HIGHATOMIC), of which a driver is one; what is kept for those who free memory.
 */
static const gfp_t xlpieces_reserves[] = { 0, GFP_ATOMIC, GFP_ATOMIC | __GFP_MEMALLOC };

static void xlpieces_split(struct page *block)
{
	unsigned long pages = 2UL << order;

	split_page(block, order + 1);
	for (unsigned long i = 1; i < pages; i++)
		__free_page(block + i);
	list_add(&block->lru, &xlpieces_pages);
	kept++;
}

/* Nobody is woken up to make larger blocks, for there are to be none. */
static void xlpieces_take(gfp_t from)
{
	const gfp_t gfp = (from & ~__GFP_KSWAPD_RECLAIM) | __GFP_MOVABLE | __GFP_NOWARN;
	struct page *block;

	while ((block = alloc_pages(gfp, order + 1))) {
		xlpieces_split(block);
		cond_resched();
	}
}

static void xlpieces_take_all(void)
{
	ulong before = kept;

	for (int i = 0; i < ARRAY_SIZE(xlpieces_reserves); i++)
		for (int k = 0; k < ARRAY_SIZE(xlpieces_zones); k++)
			xlpieces_take(xlpieces_reserves[i] | xlpieces_zones[k]);
	quiet = kept == before ? quiet + 1 : 0;
}

static void xlpieces_watch(struct work_struct *work)
{
	xlpieces_take_all();
	schedule_delayed_work(to_delayed_work(work), msecs_to_jiffies(XLPIECES_MS));
}

static DECLARE_DELAYED_WORK(xlpieces_work, xlpieces_watch);

static int __init xlpieces_init(void)
{
	/* Below pageblock_order: the allocator has no larger blocks than those of MAX_ORDER. */
	if (order >= pageblock_order)
		return -EINVAL;
	xlpieces_take_all();
	schedule_delayed_work(&xlpieces_work, msecs_to_jiffies(XLPIECES_MS));
	return 0;
}

static void __exit xlpieces_exit(void)
{
	struct page *page, *next;

	cancel_delayed_work_sync(&xlpieces_work);
	list_for_each_entry_safe(page, next, &xlpieces_pages, lru)
		__free_page(page);
}

module_init(xlpieces_init);
module_exit(xlpieces_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Has no free block of memory above some order");
