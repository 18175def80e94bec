// SPDX-License-Identifier: GPL-2.0-only
/*
 * zero-free-memory: leave most of a guest's free memory as zeros.
 *
 * Run before the machine is saved: zero pages take no room in the file. The kernel clears every
 * page that it hands to a process, so it is enough to take what is available and let it go.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define SPARE_KIB (16 * 1024)	/* stays untouched, so that nothing is pushed out of memory */

int main(void)
{
	unsigned long free_kib = 0;
	FILE *meminfo = fopen("/proc/meminfo", "r");
	char line[128];

	if (!meminfo) {
		perror("zero-free-memory: /proc/meminfo");
		return 1;
	}
	while (fgets(line, sizeof(line), meminfo))
		if (sscanf(line, "MemFree: %lu kB", &free_kib) == 1)
			break;
	if (free_kib <= SPARE_KIB)
		return 0;
	if (mmap(NULL, (free_kib - SPARE_KIB) << 10, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0) == MAP_FAILED) {
		perror("zero-free-memory: mmap");
		return 1;
	}
	return 0;
}
