// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compound pages that are used again: an order-5 page for each packet would cost more than the
 * packet, and would fail long before the driver is loaded.
 *
 * The pool holds one reference on each page for good; whoever composes an skb takes another. So a
 * page is back when its count is 1 again, whoever has put it, and a page that somebody keeps is
 * seen. One sender at a time: the caller serialises.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "internal.h"

static unsigned int pool_percent = 12;
module_param(pool_percent, uint, 0644);
MODULE_PARM_DESC(pool_percent, "share of the memory that compound pages may take (12)");

static struct list_head free_buffers[XLC_ORDER_MAX + 1];
static bool free_buffers_ready;
static unsigned long pages_owned;
static unsigned long pages_out;

static void pool_setup(void)
{
	unsigned int order;

	for (order = 0; order <= XLC_ORDER_MAX; order++)
		INIT_LIST_HEAD(&free_buffers[order]);
	free_buffers_ready = true;
}

static void buffer_free(struct xlc_buffer *buffer)
{
	pages_owned -= 1UL << buffer->order;
	put_page(buffer->page);
	kfree(buffer);
}

/* Give unused pages of other orders back until there is room for one of `order`. */
static bool make_room(unsigned int order)
{
	unsigned long limit = totalram_pages() / 100 * pool_percent;
	unsigned int other;

	for (other = 0; other <= XLC_ORDER_MAX; other++)
		while (pages_owned + (1UL << order) > limit && !list_empty(&free_buffers[other])) {
			struct xlc_buffer *buffer;

			buffer = list_first_entry(&free_buffers[other], struct xlc_buffer, list);
			list_del(&buffer->list);
			buffer_free(buffer);
		}
	return pages_owned + (1UL << order) <= limit;
}

static struct xlc_buffer *buffer_alloc(unsigned int order)
{
	gfp_t gfp = GFP_KERNEL | __GFP_COMP | __GFP_NOWARN | __GFP_NORETRY;
	struct xlc_buffer *buffer;

	if (!make_room(order))
		return NULL;
	buffer = kmalloc(sizeof(*buffer), GFP_KERNEL);
	if (!buffer)
		return NULL;
	buffer->order = order;
	buffer->page = alloc_pages(gfp, order);
	if (!buffer->page) {
		kfree(buffer);
		return NULL;
	}
	pages_owned += 1UL << order;
	return buffer;
}

/* A buffer that nobody else holds; NULL: wait until some come back. */
struct xlc_buffer *xlc_pool_get(unsigned int order)
{
	struct xlc_buffer *buffer;

	if (!free_buffers_ready)
		pool_setup();
	buffer = list_first_entry_or_null(&free_buffers[order], struct xlc_buffer, list);
	if (buffer)
		list_del(&buffer->list);
	else
		buffer = buffer_alloc(order);
	if (buffer)
		pages_out += 1UL << order;
	return buffer;
}

/* Only for a buffer of which xlc_buffer_held() says no. */
void xlc_pool_put(struct xlc_buffer *buffer)
{
	pages_out -= 1UL << buffer->order;
	list_add(&buffer->list, &free_buffers[buffer->order]);
}

/* Whether anybody but the pool has a reference. What they wrote or read is over if not. */
bool xlc_buffer_held(const struct xlc_buffer *buffer)
{
	if (page_ref_count(buffer->page) != 1)
		return true;
	smp_mb(); /* their last access comes before their put_page(), which we have seen */
	return false;
}

void xlc_pool_drain(void)
{
	struct xlc_buffer *buffer, *next;
	unsigned int order;

	if (!free_buffers_ready)
		return;
	for (order = 0; order <= XLC_ORDER_MAX; order++)
		list_for_each_entry_safe(buffer, next, &free_buffers[order], list) {
			list_del(&buffer->list);
			buffer_free(buffer);
		}
}

unsigned long xlc_pool_pages(void)
{
	return READ_ONCE(pages_owned);
}

/* Of these, pages that belong to skbs which have not come back. */
unsigned long xlc_pool_pages_out(void)
{
	return READ_ONCE(pages_out);
}
