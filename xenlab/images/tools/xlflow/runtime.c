// SPDX-License-Identifier: GPL-2.0-only
/* What every part of a tool asks of the system: its end, names of errors, time and waiting. */
#define _GNU_SOURCE /* strerrorname_np(), program_invocation_short_name */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "xlflow.h"

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

bool wait_for(int fd, short events, int timeout_ms, const struct times *t)
{
	int64_t end_ms = t->deadline_ms;

	if (timeout_ms >= 0 && now_ms() + timeout_ms < end_ms)
		end_ms = now_ms() + timeout_ms;
	for (;;) {
		struct pollfd p = { .fd = fd, .events = events };
		int64_t left_ms = end_ms - now_ms();
		int n = poll(&p, 1, left_ms > 0 ? left_ms : 0);

		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			die("poll");
		if (now_ms() >= end_ms)
			return false;
	}
}
