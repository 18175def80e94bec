// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory in pieces: plenty of it is free, and no free block has more than 2^ORDER pages.
 *
 * All free memory is taken page by page and locked, then given back but for one page of those in
 * each aligned block of 2^(ORDER + 1): whatever others give back, such a block is never free. What
 * larger blocks are left, the kernel's last reserve of them among it, or come up later, is taken
 * in blocks of that size. Locked pages stay where they are only while
 * vm.compact_unevictable_allowed is 0. All of it is free again when the program ends.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "xlsource.h"

#define STEP_BYTES	(1UL << 20)
#define STEPS_MAX	(1 << 16)
#define WATCH_MS	20
/*
 * Where taking stops, in terms of what the kernel keeps for itself: before any zone is so empty
 * that somebody has to go. Zones have their own reserves, which are free memory to all that is
 * asked.
 */
#define RESERVES	8

static uint8_t *steps[STEPS_MAX];

static uint64_t read_number(const char *path, const char *behind)
{
	char text[4096], *at = text;
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n < 0)
		die(path);
	close(fd);
	text[n] = 0;
	if (behind)
		at = strstr(text, behind);
	if (!at)
		die(path);
	return strtoull(at + (behind ? strlen(behind) : 0), NULL, 10);
}

static uint64_t free_kib(void)
{
	return read_number("/proc/meminfo", "MemFree:");
}

/* If somebody has to go, it is this program. */
static void go_first(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);

	if (fd < 0 || write(fd, "1000", 4) != 4)
		die("/proc/self/oom_score_adj");
	close(fd);
}

static size_t take_all(void)
{
	uint64_t reserve_kib = RESERVES * read_number("/proc/sys/vm/min_free_kbytes", NULL);
	size_t count = 0;

	while (count < STEPS_MAX && free_kib() > reserve_kib + STEP_BYTES / 1024) {
		uint8_t *step = mmap(NULL, STEP_BYTES, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (step == MAP_FAILED)
			die("mmap");
		madvise(step, STEP_BYTES, MADV_NOHUGEPAGE);
		if (mlock(step, STEP_BYTES))
			die("mlock");
		steps[count++] = step;
	}
	return count;
}

static void give(uint8_t *step, size_t from, size_t to)
{
	if (to > from && munmap(step + from * PAGE_BYTES, (to - from) * PAGE_BYTES))
		die("munmap");
}

/* Gives a step back but for one page of each run in a block; returns how many are kept. */
static size_t give_back(int map, uint8_t *step, unsigned int shift)
{
	const size_t pages = STEP_BYTES / PAGE_BYTES;
	uint64_t frames[STEP_BYTES / PAGE_BYTES];
	size_t kept = 0, from = 0;

	if (pread(map, frames, sizeof(frames), (uintptr_t)step / PAGE_BYTES * 8) != sizeof(frames))
		die("pagemap");
	for (size_t i = 0; i < pages; i++) {
		if (i + 1 < pages && frames[i] >> shift == frames[i + 1] >> shift)
			continue;
		give(step, from, i);
		from = i + 1;
		kept++;
	}
	return kept;
}

/* Whether there were so many blocks of this order, which are taken now. */
static bool take_some(unsigned int order, unsigned int count)
{
	struct blocks b = { 0 };

	if (!blocks_take(&b, order, count))
		return false;
	if (b.compound == count)
		return true;
	munmap(b.rings[order], ((size_t)PAGE_BYTES << order) * count);
	close(b.fd);
	return false;
}

/* Free memory: its largest blocks, and what blocks of some order all that are as large make. */
struct spare {
	int largest;
	unsigned int blocks;
};

static struct spare read_spare(int wanted)
{
	struct spare s = { .largest = -1 };
	FILE *file = fopen("/proc/buddyinfo", "r");
	char line[1024];

	if (!file)
		die("/proc/buddyinfo");
	while (fgets(line, sizeof(line), file)) {
		char *at = strstr(line, "zone"), *word;
		int order = 0;

		/* Node 0, zone      DMA      2      2 ... */
		for (word = strtok(at, " \n"), word = strtok(NULL, " \n");
		     (word = strtok(NULL, " \n")); order++) {
			unsigned int blocks = atoi(word);

			if (blocks && order > s.largest)
				s.largest = order;
			if (order >= wanted)
				s.blocks += blocks << (order - wanted);
		}
	}
	fclose(file);
	return s;
}

/*
 * No more than there is: the kernel makes no larger blocks out of others for this. All in one go,
 * for each ring waits for all CPUs; one by one where somebody else was quicker. The largest of them
 * are not taken as they are: the kernel clears a block without a look at who else wants to run,
 * which for 4 MiB on a slow CPU is longer than its watchdogs have patience.
 */
static unsigned int take_blocks(unsigned int order)
{
	unsigned int count, taken = 0;

	while ((count = read_spare(order).blocks)) {
		if (!take_some(order, count)) {
			count = 1;
			if (!take_some(order, count))
				break;
		}
		taken += count;
	}
	return taken;
}

void fragment(int argc, char **argv)
{
	unsigned int order, taken;
	size_t count, kept = 0;
	int map = open("/proc/self/pagemap", O_RDONLY);

	if (argc != 2)
		usage();
	order = word_number(argv[1], ORDER_MAX - 1);
	if (map < 0)
		die("/proc/self/pagemap");
	go_first();
	count = take_all();
	for (size_t i = 0; i < count; i++)
		kept += give_back(map, steps[i], order + 1);
	taken = take_blocks(order + 1);
	printf("{\"schema\":%d,\"kept_pages\":%zu,\"taken_blocks\":%u,\"largest_order\":%d"
	       ",\"free_kib\":%" PRIu64 "}\n", XLFLOW_SCHEMA, kept, taken,
	       read_spare(order).largest, free_kib());
	fflush(stdout);
	for (;;) {
		take_blocks(order + 1);
		usleep(WATCH_MS * 1000);
	}
}
