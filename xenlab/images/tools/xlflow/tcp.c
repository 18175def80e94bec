// SPDX-License-Identifier: GPL-2.0-only
/* TCP: one connection, one stream of payload bytes, compared byte by byte, ended in order. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xlflow.h"

static uint8_t got[TCP_WRITE_MAX];
static uint8_t wanted[TCP_WRITE_MAX];

struct stream {
	uint64_t received, bad_bytes;
	int64_t first_bad_offset;
};

static uint64_t total_bytes(const struct flow *f)
{
	uint64_t total = 0;

	for (size_t i = 0; i < f->count; i++)
		total += f->sizes[i];
	return total;
}

static void compare(const struct flow *f, struct stream *s, size_t len)
{
	payload_fill(wanted, len, f->seed, 0, s->received);
	if (memcmp(got, wanted, len)) {
		for (size_t i = 0; i < len; i++) {
			if (got[i] == wanted[i])
				continue;
			if (!s->bad_bytes++)
				s->first_bad_offset = s->received + i;
		}
	}
	s->received += len;
}

/* Reads to the end of the stream; says how it ended. */
static const char *read_stream(const struct flow *f, int fd, struct stream *s,
			       const struct times *t)
{
	for (;;) {
		ssize_t len;

		if (!wait_for(fd, POLLIN, t->idle_ms, t))
			return now_ms() < t->deadline_ms ? "idle" : "timeout";
		len = recv(fd, got, sizeof(got), 0);
		if (len > 0)
			compare(f, s, len);
		else if (!len)
			return "complete";
		else if (errno != EINTR && errno != EAGAIN)
			return error_name(errno);
	}
}

void tcp_receive(const struct flow *f, const struct times *t)
{
	struct stream s = { .first_bad_offset = -1 };
	const char *ended = "idle";
	int fd = -1;

	if (wait_for_sender(f->fd, POLLIN, t->idle_ms, t)) {
		fd = accept(f->fd, NULL, NULL);
		if (fd < 0)
			die("accept");
		ended = read_stream(f, fd, &s, t);
		if (strcmp(ended, "complete"))
			stream_cut(fd);
		close(fd);
	} else if (now_ms() >= t->deadline_ms) {
		ended = "timeout";
	}
	printf("{\"schema\":%d,\"flow\":%d,\"proto\":\"tcp\",\"ended\":\"%s\",\"expected\":%" PRIu64
	       ",\"received\":%" PRIu64 ",\"bad_bytes\":%" PRIu64 ",\"first_bad_offset\":%" PRId64
	       "}\n", XLFLOW_SCHEMA, f->index, ended, total_bytes(f), s.received, s.bad_bytes,
	       s.first_bad_offset);
}

void tcp_send(const struct flow *f, const struct times *t)
{
	const char *error = stream_open(f, t);
	uint64_t sent = 0;
	size_t i;

	for (i = 0; !error && i < f->count; i++) {
		payload_fill(wanted, f->sizes[i], f->seed, 0, sent);
		error = stream_write(f->fd, wanted, f->sizes[i], t);
		if (!error)
			sent += f->sizes[i];
	}
	if (!error)
		error = stream_close(f->fd, t);
	stream_end(f, error, sent);
}
