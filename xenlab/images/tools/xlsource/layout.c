// SPDX-License-Identifier: GPL-2.0-only
/*
 * Layouts as text, one a line: lin=LEN@OFF frag=ORDER:OFF:SIZE,... gso=MSS csum=partial|none
 * proto=udp4|udp6|tcp4|tcp6. What a source cannot choose of it is said where that source is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xlcompose.h"
#include "xlsource.h"

#define LINE_BYTES	2048

static void refuse(size_t line, const char *word) __attribute__((noreturn));

static void refuse(size_t line, const char *word)
{
	fprintf(stderr, "xlsource: layout %zu: `%s`\n", line, word);
	exit(2);
}

static bool read_frags(struct layout *l, const char *at)
{
	for (;;) {
		struct frag *f = &l->frags[l->count];
		int used = 0;

		if (l->count == FRAGS_MAX ||
		    sscanf(at, "%u:%u:%u%n", &f->order, &f->offset, &f->size, &used) != 3)
			return false;
		if (f->order > ORDER_MAX ||
		    (uint64_t)f->offset + f->size > (uint64_t)PAGE_BYTES << f->order)
			return false;
		l->count++;
		at += used;
		if (!*at)
			return true;
		if (*at++ != ',')
			return false;
	}
}

static bool read_choice(int *to, const char *text, const char *const *names, int count)
{
	for (int i = 0; i < count; i++) {
		if (strcmp(text, names[i]))
			continue;
		*to = i;
		return true;
	}
	return false;
}

static bool read_number(uint32_t *to, const char *text)
{
	int used = 0;

	return sscanf(text, "%u%n", to, &used) == 1 && !text[used];
}

static bool read_word(struct layout *l, const char *word)
{
	static const char *const protocols[] = { "udp4", "udp6", "tcp4", "tcp6" };
	static const char *const checksums[] = { "partial", "none" };
	int used = 0;

	if (sscanf(word, "lin=%u@%u%n", &l->linear, &l->offset, &used) == 2)
		return !word[used] && l->linear;
	if (!strncmp(word, "frag=", 5))
		return read_frags(l, word + 5);
	if (!strncmp(word, "gso=", 4))
		return read_number(&l->gso, word + 4) && l->gso <= UINT16_MAX;
	if (!strncmp(word, "csum=", 5))
		return read_choice(&l->checksum, word + 5, checksums, XLC_CSUMS);
	if (!strncmp(word, "proto=", 6))
		return read_choice(&l->protocol, word + 6, protocols, XLC_PROTOCOLS);
	return false;
}

size_t layouts_read(struct layout **layouts)
{
	char line[LINE_BYTES];
	size_t count = 0;

	*layouts = calloc(LAYOUTS_MAX, sizeof(**layouts));
	if (!*layouts)
		die("calloc");
	while (fgets(line, sizeof(line), stdin)) {
		struct layout *l = &(*layouts)[count];
		char *rest = line, *word;

		line[strcspn(line, "\n")] = 0;
		if (count == LAYOUTS_MAX)
			refuse(count, "too many of them");
		while ((word = strsep(&rest, " "))) {
			if (*word && !read_word(l, word))
				refuse(count, word);
		}
		/* The linear part by itself first: the sum is 32 bits too. */
		if (!l->linear || l->linear > FRAME_MAX || layout_length(l) > FRAME_MAX ||
		    layout_length(l) < frame_header_bytes(l))
			refuse(count, "no length that a packet can have");
		count++;
	}
	return count;
}

uint32_t layout_length(const struct layout *l)
{
	uint32_t length = l->linear;

	for (unsigned int i = 0; i < l->count; i++)
		length += l->frags[i].size;
	return length;
}
