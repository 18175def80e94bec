// SPDX-License-Identifier: GPL-2.0-only
/* UDP, the sending end: datagrams of payload only, and what send() said to each. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "xlflow.h"

#define ERRNO_MAX	256

static uint8_t payload[UDP_PAYLOAD_MAX];

void udp_send(const struct flow *f, const struct times *t)
{
	static unsigned int errors[ERRNO_MAX];
	size_t sent = 0, i;
	uint64_t bytes = 0;
	const char *comma = "";

	memset(errors, 0, sizeof(errors));
	for (i = 0; i < f->count && now_ms() < t->deadline_ms; i++) {
		ssize_t len;

		payload_fill(payload, f->sizes[i], f->seed, i, 0);
		do {
			len = send(f->fd, payload, f->sizes[i], 0);
		} while (len < 0 && errno == EINTR);
		if (len < 0) {
			errors[errno < ERRNO_MAX ? errno : 0]++;
			continue;
		}
		sent++;
		bytes += len;
	}
	printf("{\"schema\":%d,\"flow\":%d,\"proto\":\"udp\",\"ended\":\"%s\",\"sent\":%zu"
	       ",\"bytes\":%" PRIu64 ",\"errors\":{", XLFLOW_SCHEMA, f->index,
	       i == f->count ? "complete" : "timeout", sent, bytes);
	for (int e = 0; e < ERRNO_MAX; e++) {
		if (!errors[e])
			continue;
		printf("%s\"%s\":%u", comma, error_name(e), errors[e]);
		comma = ",";
	}
	printf("}}\n");
}
