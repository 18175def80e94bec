// SPDX-License-Identifier: GPL-2.0-only
/*
 * awaken UNIX-TIME SEED: what a guest needs after its memory was restored from a file.
 *
 * Sets the clock to the UNIX time given, adds the random bytes of SEED (hexadecimal) to the pool,
 * and has the kernel draw new keys from it: else every guest restored from the same file would go
 * on with the same time and the same "random" numbers.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>

#include "duties.h"

#define SEED_BYTES 64

static int parse_seed(const char *text, unsigned char *bytes)
{
	int i;

	if (strlen(text) != 2 * SEED_BYTES)
		return -1;
	for (i = 0; i < SEED_BYTES; i++)
		if (sscanf(text + 2 * i, "%2hhx", bytes + i) != 1)
			return -1;
	return 0;
}

static int reseed(void *seed)
{
	int pool = open("/dev/urandom", O_WRONLY);
	int failed = pool < 0 || ioctl(pool, RNDADDENTROPY, seed) || ioctl(pool, RNDRESEEDCRNG);

	if (pool >= 0)
		close(pool);
	return failed ? -1 : 0;
}

int awaken(char **words, char *text, size_t size)
{
	struct {
		struct rand_pool_info info;
		unsigned char bytes[SEED_BYTES];
	} seed;
	struct timeval now;
	char *end;

	if (!words[0] || !words[1] || parse_seed(words[1], (unsigned char *)seed.info.buf)) {
		snprintf(text, size, "usage: awaken SECONDS.MICROSECONDS %d-HEX-BYTES", SEED_BYTES);
		return -1;
	}
	now.tv_sec = strtoll(words[0], &end, 10);
	now.tv_usec = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
	if (settimeofday(&now, NULL)) {
		snprintf(text, size, "settimeofday: %s", strerror(errno));
		return -1;
	}
	seed.info.buf_size = SEED_BYTES;
	seed.info.entropy_count = 8 * SEED_BYTES;
	if (reseed(&seed)) {
		snprintf(text, size, "/dev/urandom: %s", strerror(errno));
		return -1;
	}
	return 0;
}
