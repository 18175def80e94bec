// SPDX-License-Identifier: GPL-2.0-only
/* Reads one flow of the command line: proto@address@port@seed@sizes. */
#define _GNU_SOURCE /* program_invocation_short_name */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xlflow.h"

static void refuse(const char *text, const char *why) __attribute__((noreturn));

static void refuse(const char *text, const char *why)
{
	fprintf(stderr, "%s: `%s`: %s\n", program_invocation_short_name, text, why);
	exit(2);
}

/* A number at *@at, which is moved behind it. */
static uint64_t number(char **at, uint64_t min, uint64_t max, const char *what)
{
	char *from = *at;
	uint64_t value;

	errno = 0;
	value = strtoull(from, at, 10);
	if (*from < '0' || *from > '9' || errno || value < min || value > max)
		refuse(from, what);
	return value;
}

static void append(struct flow *f, uint32_t size)
{
	if (f->count == SIZES_MAX)
		refuse("sizes", "too many sizes");
	f->sizes[f->count++] = size;
}

/* sizes: item[,item...]; item: N[-M[:STEP]][xCOUNT] */
static void parse_sizes(struct flow *f, char *at, uint64_t max)
{
	f->sizes = calloc(SIZES_MAX, sizeof(*f->sizes));
	if (!f->sizes)
		die("calloc");
	for (;; at++) {
		uint64_t first = number(&at, 1, max, "not a size"), last = first, step = 1;
		uint64_t count = 1;

		if (*at == '-') {
			at++;
			last = number(&at, first, max, "not the end of a range of sizes");
		}
		if (*at == ':') {
			at++;
			step = number(&at, 1, max, "not a step");
		}
		if (*at == 'x') {
			at++;
			count = number(&at, 1, SIZES_MAX, "not a count");
		}
		for (uint64_t i = 0; i < count; i++) {
			for (uint64_t size = first; size <= last; size += step)
				append(f, size);
		}
		if (!*at)
			return;
		if (*at != ',')
			refuse(at, "not a size");
	}
}

static void parse_address(struct flow *f, const char *text, uint16_t port)
{
	if (inet_pton(AF_INET, text, &f->addr.in.sin_addr) == 1) {
		f->addr.in.sin_family = AF_INET;
		f->addr.in.sin_port = htons(port);
		f->addr_len = sizeof(f->addr.in);
	} else if (inet_pton(AF_INET6, text, &f->addr.in6.sin6_addr) == 1) {
		f->addr.in6.sin6_family = AF_INET6;
		f->addr.in6.sin6_port = htons(port);
		f->addr_len = sizeof(f->addr.in6);
	} else {
		refuse(text, "not an IPv4 or IPv6 address");
	}
}

void flow_parse(struct flow *f, int index, const char *text)
{
	char *fields[5], *copy = strdup(text), *rest = copy;
	uint64_t port, max;
	size_t n;

	if (!copy)
		die("strdup");
	for (n = 0; n < 5 && rest; n++)
		fields[n] = strsep(&rest, "@");
	if (n < 5 || rest)
		refuse(text, "not proto@address@port@seed@sizes");
	*f = (struct flow){ .index = index, .fd = -1 };
	f->tcp = !strcmp(fields[0], "tcp");
	if (!f->tcp && strcmp(fields[0], "udp"))
		refuse(fields[0], "neither udp nor tcp");
	port = number(&fields[2], 1, UINT16_MAX, "not a port");
	f->seed = number(&fields[3], 0, UINT64_MAX, "not a seed");
	if (*fields[2] || *fields[3])
		refuse(text, "text behind a number");
	parse_address(f, fields[1], port);
	max = f->addr.sa.sa_family == AF_INET ? UDP4_PAYLOAD_MAX : UDP_PAYLOAD_MAX;
	parse_sizes(f, fields[4], f->tcp ? TCP_WRITE_MAX : max);
	free(copy);
}
