// SPDX-License-Identifier: GPL-2.0-only
/* What every part of a tool asks of the system: its end, names of errors, time and waiting. */
#define _GNU_SOURCE /* strerrorname_np(), program_invocation_short_name */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "xlflow.h"

#define LOOK_MS		50

void die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(1);
}

const char *error_name(int error)
{
	const char *name = strerrorname_np(error);

	return name ? name : "EUNKNOWN";
}

int64_t now_ms(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now))
		die("clock_gettime");
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * Patience is spent in short looks, each for no more than it was meant to last: while the machine
 * stands still, for its host runs something else, nobody could have sent anything.
 */
bool wait_for(int fd, short events, int patience_ms, const struct times *t)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = events };
		int64_t look_ms = t->deadline_ms - now_ms();
		int n;

		if (look_ms > LOOK_MS)
			look_ms = LOOK_MS;
		if (patience_ms >= 0 && look_ms > patience_ms)
			look_ms = patience_ms;
		n = poll(&p, 1, look_ms > 0 ? look_ms : 0);
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			die("poll");
		if (now_ms() >= t->deadline_ms)
			return false;
		if (patience_ms < 0 || n < 0)
			continue;
		patience_ms -= look_ms;
		if (patience_ms <= 0)
			return false;
	}
}
