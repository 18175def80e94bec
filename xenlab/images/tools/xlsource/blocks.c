// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compound pages in userspace, where there are no huge ones: the blocks of an AF_PACKET ring are
 * allocated with __GFP_COMP in the order that is asked for (net/packet/af_packet.c,
 * alloc_one_pg_vec_page) and mapped page by page. Where there is no such page left the ring takes
 * single ones instead without a word, so that each block is looked at: /proc/kpageflags tells.
 */
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/kernel-page-flags.h>
#include <sys/mman.h>
#include <unistd.h>

#include "xlsource.h"

#define FRAME_PRESENT	(1ULL << 63)
#define FRAME_NUMBER	((1ULL << 55) - 1)

static void read_words(int fd, uint64_t index, uint64_t *words, unsigned int count,
		       const char *what)
{
	if (pread(fd, words, count * sizeof(*words), index * sizeof(*words)) !=
	    (ssize_t)(count * sizeof(*words)))
		die(what);
}

/* Whether a block is one page of this order: a head, nothing but its tails, in one row. */
static bool is_compound(int map, int flags, const uint8_t *block, unsigned int order)
{
	const uint64_t compound = 1ULL << KPF_COMPOUND_HEAD | 1ULL << KPF_COMPOUND_TAIL;
	const unsigned int pages = 1U << order;
	uint64_t words[1U << ORDER_MAX], first;

	read_words(map, (uintptr_t)block / PAGE_BYTES, words, pages, "pagemap");
	first = words[0] & FRAME_NUMBER;
	if (!first)
		return false;
	for (unsigned int i = 0; i < pages; i++)
		if (!(words[i] & FRAME_PRESENT) || (words[i] & FRAME_NUMBER) != first + i)
			return false;
	read_words(flags, first, words, pages, "kpageflags");
	for (unsigned int i = 0; i < pages; i++) {
		uint64_t wanted = i ? 1ULL << KPF_COMPOUND_TAIL : 1ULL << KPF_COMPOUND_HEAD;

		if ((words[i] & compound) != (order ? wanted : 0))
			return false;
	}
	return true;
}

static void prove(struct blocks *b, unsigned int order)
{
	int map = open("/proc/self/pagemap", O_RDONLY);
	int flags = open("/proc/kpageflags", O_RDONLY);

	if (map < 0 || flags < 0)
		die("/proc/kpageflags");
	for (unsigned int i = 0; i < b->count[order]; i++)
		b->compound += is_compound(map, flags, block_at(b, order, i), order);
	close(map);
	close(flags);
}

bool blocks_take(struct blocks *b, unsigned int order, unsigned int count)
{
	size_t block_bytes = (size_t)PAGE_BYTES << order;
	struct tpacket_req ring = {
		.tp_block_size = block_bytes,
		.tp_block_nr = count,
		.tp_frame_size = block_bytes,
		.tp_frame_nr = count,
	};
	int fd;

	if (!count)
		return true;
	fd = socket(AF_PACKET, SOCK_RAW, 0); /* of no protocol: no packet comes into it */
	if (fd < 0)
		die("socket AF_PACKET");
	if (setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring))) {
		close(fd);
		return false;
	}
	b->rings[order] = mmap(NULL, block_bytes * count, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_POPULATE, fd, 0);
	if (b->rings[order] == MAP_FAILED)
		die("mmap of a ring");
	b->count[order] = count;
	b->total += count;
	prove(b, order);
	return true;
}

uint8_t *block_at(const struct blocks *b, unsigned int order, unsigned int index)
{
	return b->rings[order] + ((size_t)PAGE_BYTES << order) * index;
}
