// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP streams whose packets lie as the stack makes them lie: out of the page cache, by sendfile()
 * or splice(), where each frag is one page; and of several sockets that one thread writes to in
 * turn, whose frags lie between each other's in the thread's own page (net/core/sock.c,
 * skb_page_frag_refill; the seed is the flow's, as in xlflow). Sockets are corked: packets are as
 * long as they can be.
 */
#define _GNU_SOURCE /* memfd_create(), splice() */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "xlsource.h"

#define PIPE_BYTES	(1 << 16)

static uint8_t chunk[TCP_WRITE_MAX];

struct stream {
	struct flow flow;
	const char *error;
	uint64_t sent;
};

static void open_one(struct stream *s, int index, const char *text, const struct times *t)
{
	int on = 1;

	flow_parse(&s->flow, index, text);
	if (!s->flow.tcp)
		usage();
	s->flow.fd = socket(s->flow.addr.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (s->flow.fd < 0)
		die("socket");
	if (setsockopt(s->flow.fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on)))
		die("TCP_CORK");
	s->error = stream_open(&s->flow, t);
}

static void end_one(struct stream *s, const struct times *t)
{
	if (!s->error)
		s->error = stream_close(s->flow.fd, t);
	stream_end(&s->flow, s->error, s->sent);
	close(s->flow.fd);
}

static uint64_t length_of(const struct flow *f)
{
	uint64_t length = 0;

	for (size_t i = 0; i < f->count; i++)
		length += f->sizes[i];
	return length;
}

/* A file in the page cache, with the whole stream in it. */
static int make_file(const struct flow *f)
{
	uint64_t length = length_of(f);
	int fd = memfd_create("xlsource", 0);

	if (fd < 0)
		die("memfd_create");
	for (uint64_t at = 0; at < length;) {
		size_t len = length - at < sizeof(chunk) ? length - at : sizeof(chunk);
		ssize_t n;

		payload_fill(chunk, len, f->seed, 0, at);
		n = pwrite(fd, chunk, len, at);
		if (n <= 0)
			die("a file in memory");
		at += n;
	}
	return fd;
}

static ssize_t send_file(int to, int from, loff_t *at, size_t len)
{
	return sendfile(to, from, at, len);
}

/* Out of the file into a pipe, and all of that into the socket. */
static ssize_t splice_file(int to, int from, loff_t *at, size_t len)
{
	static int ends[2];
	static ssize_t held;
	ssize_t n;

	if (!ends[1] && (pipe(ends) || fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES) < 0))
		die("pipe");
	if (!held)
		held = splice(from, at, ends[1], NULL, len < PIPE_BYTES ? len : PIPE_BYTES, 0);
	if (held < 0)
		die("splice of a file");
	n = splice(ends[0], NULL, to, NULL, held, SPLICE_F_MORE | SPLICE_F_NONBLOCK);
	if (n > 0)
		held -= n;
	return n;
}

static void move_file(struct stream *s, ssize_t (*move)(int, int, loff_t *, size_t),
		      const struct times *t)
{
	uint64_t length = length_of(&s->flow);
	int from = make_file(&s->flow);
	loff_t at = 0;

	while (!s->error && s->sent < length) {
		ssize_t n = move(s->flow.fd, from, &at, length - s->sent);

		if (n > 0)
			s->sent += n;
		else if (n < 0 && errno != EAGAIN && errno != EINTR)
			s->error = error_name(errno);
		else if (!wait_for(s->flow.fd, POLLOUT, -1, t))
			s->error = "timeout";
	}
	close(from);
}

static void from_file(int argc, char **argv, ssize_t (*move)(int, int, loff_t *, size_t))
{
	struct times t = { .deadline_ms = now_ms() + 60000 };
	int at = sender_parse(NULL, argc, argv, &t);
	struct stream s = { 0 };

	if (argc - at != 1)
		usage();
	open_one(&s, 0, argv[at], &t);
	move_file(&s, move, &t);
	end_one(&s, &t);
}

void from_sendfile(int argc, char **argv)
{
	from_file(argc, argv, send_file);
}

void from_splice(int argc, char **argv)
{
	from_file(argc, argv, splice_file);
}

static void write_one(struct stream *s, size_t turn, const struct times *t)
{
	size_t len = turn < s->flow.count ? s->flow.sizes[turn] : 0;

	if (s->error || !len)
		return;
	payload_fill(chunk, len, s->flow.seed, 0, s->sent);
	s->error = stream_write(s->flow.fd, chunk, len, t);
	if (!s->error)
		s->sent += len;
}

void interleave(int argc, char **argv)
{
	struct times t = { .deadline_ms = now_ms() + 60000 };
	int at = sender_parse(NULL, argc, argv, &t);
	struct stream streams[FLOWS_MAX] = { 0 };
	int count = argc - at;
	size_t turns = 0;

	if (count < 1 || count > FLOWS_MAX)
		usage();
	for (int i = 0; i < count; i++) {
		open_one(&streams[i], i, argv[at + i], &t);
		if (streams[i].flow.count > turns)
			turns = streams[i].flow.count;
	}
	for (size_t turn = 0; turn < turns; turn++) {
		for (int i = 0; i < count; i++)
			write_one(&streams[i], turn, &t);
	}
	for (int i = 0; i < count; i++)
		end_one(&streams[i], &t);
}
