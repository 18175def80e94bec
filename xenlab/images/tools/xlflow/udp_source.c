// SPDX-License-Identifier: GPL-2.0-only
/* UDP, the sending end: datagrams of payload only, and what send() said to each. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include "xlflow.h"

#define ERRNO_MAX	256
/* How often what is left of the time is told to the socket anew. */
#define BOUND_MS	500

static uint8_t payload[UDP_PAYLOAD_MAX];
static unsigned int errors[ERRNO_MAX];

/* Whether the error of a send() came by ICMP: then it is that of an earlier datagram. */
static bool was_told(int fd)
{
	struct msghdr message = { 0 };

	return recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0;
}

/* A send() that finds no room in the socket's buffer waits for it hardly beyond the deadline. */
static void bound_sends(int fd, int64_t left_ms)
{
	/* Nothing at all would be no bound. */
	struct timeval left = { .tv_usec = 1000 };

	if (left_ms > 0) {
		left.tv_sec = left_ms / 1000;
		left.tv_usec = left_ms % 1000 * 1000;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &left, sizeof(left)))
		die("SO_SNDTIMEO");
}

/* Sends payload[0, @len), once more where it was told of an earlier one's error in place of it. */
static ssize_t send_payload(int fd, size_t len)
{
	for (;;) {
		ssize_t sent = send(fd, payload, len, 0);

		if (sent >= 0)
			return sent;
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN)
			return -1;
		errors[errno < ERRNO_MAX ? errno : 0]++;
		if (!was_told(fd)) {
			errno = 0;
			return -1;
		}
	}
}

void udp_send(const struct flow *f, const struct times *t)
{
	size_t sent = 0, i;
	uint64_t bytes = 0;
	const char *comma = "", *ended = "complete";
	int64_t bounded_ms = -BOUND_MS;

	memset(errors, 0, sizeof(errors));
	for (i = 0; i < f->count; i++) {
		int64_t now = now_ms();
		ssize_t len;

		if (now >= t->deadline_ms) {
			ended = "timeout";
			break;
		}
		if (now - bounded_ms >= BOUND_MS) {
			bound_sends(f->fd, t->deadline_ms - now);
			bounded_ms = now;
		}
		payload_fill(payload, f->sizes[i], f->seed, i, 0);
		len = send_payload(f->fd, f->sizes[i]);
		if (len < 0 && errno == EAGAIN) {
			ended = "blocked";
			break;
		}
		if (len < 0)
			continue;
		sent++;
		bytes += len;
	}
	printf("{\"schema\":%d,\"flow\":%d,\"proto\":\"udp\",\"ended\":\"%s\",\"sent\":%zu"
	       ",\"bytes\":%" PRIu64 ",\"errors\":{", XLFLOW_SCHEMA, f->index,
	       ended, sent, bytes);
	for (int e = 0; e < ERRNO_MAX; e++) {
		if (!errors[e])
			continue;
		printf("%s\"%s\":%u", comma, error_name(e), errors[e]);
		comma = ",";
	}
	printf("}}\n");
}
