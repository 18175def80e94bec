// SPDX-License-Identifier: GPL-2.0-only
/* The sending end of a TCP stream: opened, written, ended in order or cut off, and told of. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "xlflow.h"

/* What has not ended in order is cut off: else it is sent again long after both programs ended. */
void stream_cut(int fd)
{
	struct linger none = { .l_onoff = 1 };

	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none)))
		die("SO_LINGER");
}

/* The socket does not block, so that a lost SYN cannot outlast the deadline. */
const char *stream_open(const struct flow *f, const struct times *t)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (!connect(f->fd, &f->addr.sa, f->addr_len))
		return NULL;
	if (errno != EINPROGRESS)
		return error_name(errno);
	if (!wait_for(f->fd, POLLOUT, -1, t))
		return "timeout";
	if (getsockopt(f->fd, SOL_SOCKET, SO_ERROR, &error, &len))
		die("SO_ERROR");
	return error ? error_name(error) : NULL;
}

/* Writes one whole chunk; returns NULL or the name of what stopped it. */
const char *stream_write(int fd, const uint8_t *from, size_t len, const struct times *t)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = send(fd, from + done, len - done, 0);

		if (n > 0)
			done += n;
		else if (errno != EINTR && errno != EAGAIN)
			return error_name(errno);
		else if (!wait_for(fd, POLLOUT, -1, t))
			return "timeout";
	}
	return NULL;
}

/* The receiver closes when it has read everything: its end of file ends the flow in order. */
const char *stream_close(int fd, const struct times *t)
{
	uint8_t byte;
	ssize_t n;

	if (shutdown(fd, SHUT_WR))
		return error_name(errno);
	if (!wait_for(fd, POLLIN, -1, t))
		return "timeout";
	n = recv(fd, &byte, 1, 0);
	if (n < 0)
		return error_name(errno);
	return n ? "unexpected-data" : NULL;
}

void stream_end(const struct flow *f, const char *error, uint64_t sent)
{
	if (error)
		stream_cut(f->fd);
	printf("{\"schema\":%d,\"flow\":%d,\"proto\":\"tcp\",\"ended\":\"%s\",\"sent\":%" PRIu64
	       ",\"errors\":{", XLFLOW_SCHEMA, f->index, error ? error : "complete", sent);
	if (error)
		printf("\"%s\":1", error);
	printf("}}\n");
}
