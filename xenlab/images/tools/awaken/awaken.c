// SPDX-License-Identifier: GPL-2.0-only
/*
 * awaken: what a guest needs after its memory was restored from a file.
 *
 * Sets the clock to the UNIX time given, adds the random bytes on standard input to the pool, and
 * has the kernel draw new keys from it: else every guest restored from the same file would go on
 * with the same time and the same "random" numbers.
 */
#include <fcntl.h>
#include <linux/random.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>

#define SEED_BYTES 64

int main(int argc, char **argv)
{
	struct {
		struct rand_pool_info info;
		unsigned char bytes[SEED_BYTES];
	} seed;
	struct timeval now;
	int pool;
	char *end;

	if (argc != 2) {
		fprintf(stderr, "usage: awaken SECONDS.MICROSECONDS < SEED\n");
		return 2;
	}
	now.tv_sec = strtoll(argv[1], &end, 10);
	now.tv_usec = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
	if (settimeofday(&now, NULL)) {
		perror("awaken: settimeofday");
		return 1;
	}
	seed.info.buf_size = read(STDIN_FILENO, seed.info.buf, SEED_BYTES);
	if (seed.info.buf_size != SEED_BYTES) {
		fprintf(stderr, "awaken: standard input must hold %d bytes\n", SEED_BYTES);
		return 1;
	}
	seed.info.entropy_count = 8 * SEED_BYTES;
	pool = open("/dev/urandom", O_WRONLY);
	if (pool < 0 || ioctl(pool, RNDADDENTROPY, &seed.info) || ioctl(pool, RNDRESEEDCRNG)) {
		perror("awaken: /dev/urandom");
		return 1;
	}
	return 0;
}
