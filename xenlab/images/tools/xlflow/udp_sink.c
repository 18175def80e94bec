// SPDX-License-Identifier: GPL-2.0-only
/*
 * UDP: a datagram carries nothing but its payload, so the receiver finds out which one arrived
 * from length and content alone. Every expected datagram ends in exactly one of intact, corrupt,
 * truncated and missing; what arrives beyond that is a duplicate or foreign.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xlflow.h"

#define EXAMPLES_MAX	128
#define MISSING_MAX	4096	/* all of them are half of ANSWER_MAX */

enum state { OUTSTANDING, INTACT, CORRUPT, TRUNCATED };

struct example {
	const char *kind;
	size_t index, expected_bytes, got_bytes, first_bad_offset, bad_bytes;
};

struct sink {
	const struct flow *f;
	uint8_t *states;
	size_t first_open;	/* no outstanding datagram lies below this */
	size_t after_newest[2];	/* one more than the highest index that came intact, of each way */
	size_t received, intact, corrupt, truncated, duplicates, foreign, reordered;
	uint64_t bytes;
	struct example examples[EXAMPLES_MAX];
	size_t example_count;
};

static uint8_t got[UDP_PAYLOAD_MAX + 1];
static uint8_t wanted[UDP_PAYLOAD_MAX + 1];

/* Bytes of @got that differ from datagram @index within @len; the first of them in @first. */
static size_t bad_bytes(const struct flow *f, size_t index, size_t len, size_t *first)
{
	size_t bad = 0;

	payload_fill(wanted, len, f->seed, index, 0);
	*first = len;
	if (!memcmp(got, wanted, len))
		return 0;
	for (size_t i = 0; i < len; i++) {
		if (got[i] == wanted[i])
			continue;
		if (!bad++)
			*first = i;
	}
	return bad;
}

static void keep_example(struct sink *s, const char *kind, size_t index, size_t len)
{
	struct example *e = &s->examples[s->example_count];
	size_t shared = len < s->f->sizes[index] ? len : s->f->sizes[index];

	if (s->example_count == EXAMPLES_MAX)
		return;
	s->example_count++;
	*e = (struct example){ .kind = kind, .index = index, .got_bytes = len,
			       .expected_bytes = s->f->sizes[index] };
	e->bad_bytes = bad_bytes(s->f, index, shared, &e->first_bad_offset);
}

static void settle(struct sink *s, size_t index, enum state to)
{
	s->states[index] = to;
	while (s->first_open < s->f->count && s->states[s->first_open] != OUTSTANDING)
		s->first_open++;
}

/* The first word tells most datagrams apart: computing all of each candidate would be slow. */
static bool equals(const struct flow *f, size_t index, size_t len)
{
	size_t first;

	return !bad_bytes(f, index, len < 8 ? len : 8, &first) &&
	       !bad_bytes(f, index, len, &first);
}

/* The lowest datagram @in a state that @got equals; f->count when there is none. */
static size_t find_equal(const struct sink *s, enum state in, size_t len)
{
	for (size_t i = in == OUTSTANDING ? s->first_open : 0; i < s->f->count; i++) {
		if (s->states[i] == in && s->f->sizes[i] == len && equals(s->f, i, len))
			return i;
	}
	return s->f->count;
}

/* The outstanding datagram of the same length that differs in the fewest bytes. */
static size_t find_nearest(const struct sink *s, size_t len)
{
	size_t nearest = s->f->count, fewest = SIZE_MAX, first;

	for (size_t i = s->first_open; i < s->f->count; i++) {
		size_t bad;

		if (s->states[i] != OUTSTANDING || s->f->sizes[i] != len)
			continue;
		bad = bad_bytes(s->f, i, len, &first);
		if (bad < fewest) {
			fewest = bad;
			nearest = i;
		}
	}
	return nearest;
}

/* The first outstanding datagram of which @got is the beginning. */
static size_t find_longer(const struct sink *s, size_t len)
{
	for (size_t i = s->first_open; i < s->f->count; i++) {
		if (s->states[i] == OUTSTANDING && s->f->sizes[i] > len && equals(s->f, i, len))
			return i;
	}
	return s->f->count;
}

/*
 * An equal outstanding datagram comes first. A damaged one of a few bytes can equal another that
 * is outstanding: then one shows as missing and one as a duplicate, which is a fault all the same.
 */
static void classify(struct sink *s, size_t len)
{
	size_t none = s->f->count, i;

	s->received++;
	s->bytes += len;
	i = find_equal(s, OUTSTANDING, len);
	if (i != none) {
		size_t *after_newest = &s->after_newest[s->f->whole_max && len > s->f->whole_max];

		s->intact++;
		if (i < *after_newest)
			s->reordered++;
		else
			*after_newest = i + 1;
		settle(s, i, INTACT);
		return;
	}
	if (find_equal(s, INTACT, len) != none) {
		s->duplicates++;
		return;
	}
	i = find_nearest(s, len);
	if (i != none) {
		s->corrupt++;
		keep_example(s, "corrupt", i, len);
		settle(s, i, CORRUPT);
		return;
	}
	i = len ? find_longer(s, len) : none;
	if (i != none) {
		s->truncated++;
		keep_example(s, "truncated", i, len);
		settle(s, i, TRUNCATED);
		return;
	}
	s->foreign++;
}

static void print_missing(const struct sink *s)
{
	size_t missing = 0;

	printf(",\"missing_indexes\":[");
	for (size_t i = s->first_open; i < s->f->count; i++) {
		if (s->states[i] != OUTSTANDING)
			continue;
		if (missing < MISSING_MAX)
			printf("%s%zu", missing ? "," : "", i);
		missing++;
	}
	printf("],\"missing\":%zu", missing);
}

static void print_sink(const struct sink *s, const char *ended)
{
	printf("{\"schema\":%d,\"flow\":%d,\"proto\":\"udp\",\"ended\":\"%s\"", XLFLOW_SCHEMA,
	       s->f->index, ended);
	printf(",\"expected\":%zu,\"received\":%zu,\"bytes\":%" PRIu64, s->f->count, s->received,
	       s->bytes);
	printf(",\"intact\":%zu,\"corrupt\":%zu,\"truncated\":%zu,\"duplicates\":%zu", s->intact,
	       s->corrupt, s->truncated, s->duplicates);
	printf(",\"foreign\":%zu,\"reordered\":%zu", s->foreign, s->reordered);
	print_missing(s);
	printf(",\"examples\":[");
	for (size_t i = 0; i < s->example_count; i++) {
		const struct example *e = &s->examples[i];

		printf("%s{\"kind\":\"%s\",\"index\":%zu,\"expected_bytes\":%zu,\"got_bytes\":%zu,"
		       "\"first_bad_offset\":%zu,\"bad_bytes\":%zu}", i ? "," : "", e->kind,
		       e->index, e->expected_bytes, e->got_bytes, e->first_bad_offset,
		       e->bad_bytes);
	}
	printf("]}\n");
}

void udp_receive(const struct flow *f, const struct times *t)
{
	struct sink s = { .f = f };
	const char *ended = "complete";

	s.states = calloc(f->count, 1);
	if (!s.states)
		die("calloc");
	for (;;) {
		bool complete = s.first_open == f->count;
		ssize_t len;

		if (complete ? !wait_for(f->fd, POLLIN, t->linger_ms, t) :
			       !wait_for_sender(f->fd, POLLIN, t->idle_ms, t)) {
			if (!complete)
				ended = now_ms() < t->deadline_ms ? "idle" : "timeout";
			break;
		}
		len = recv(f->fd, got, sizeof(got), 0);
		if (len >= 0)
			classify(&s, len);
		else if (errno != EINTR && errno != EAGAIN)
			die("recv");
	}
	print_sink(&s, ended);
	free(s.states);
}
