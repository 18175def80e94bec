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

static uint64_t read_word(int fd, uint64_t index, const char *what)
{
	uint64_t word;

	if (pread(fd, &word, sizeof(word), index * sizeof(word)) != sizeof(word))
		die(what);
	return word;
}

/* The flags of page @index of a block that begins with page frame @first; 0 if it is elsewhere. */
static uint64_t flags_of(int map, int flags, const uint8_t *block, unsigned int index,
			 uint64_t first)
{
	uint64_t entry = read_word(map, (uintptr_t)block / PAGE_BYTES + index, "pagemap");

	if (!(entry & FRAME_PRESENT) || (entry & FRAME_NUMBER) != first + index)
		return 0;
	return read_word(flags, first + index, "kpageflags");
}

/* Whether a block is one page of this order: a head, nothing but its tails, in one row. */
static bool is_compound(int map, int flags, const uint8_t *block, unsigned int order)
{
	uint64_t first = read_word(map, (uintptr_t)block / PAGE_BYTES, "pagemap") & FRAME_NUMBER;
	const uint64_t compound = 1ULL << KPF_COMPOUND_HEAD | 1ULL << KPF_COMPOUND_TAIL;

	if (!first)
		return false;
	for (unsigned int i = 0; i < 1U << order; i++) {
		uint64_t wanted = i ? 1ULL << KPF_COMPOUND_TAIL : 1ULL << KPF_COMPOUND_HEAD;

		if ((flags_of(map, flags, block, i, first) & compound) != (order ? wanted : 0))
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
	b->fd = fd;
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
