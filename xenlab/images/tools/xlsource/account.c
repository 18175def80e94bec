// SPDX-License-Identifier: GPL-2.0-only
/* What became of each packet at its sender, in the form of xlflow's answers and a letter each. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "xlsource.h"

void account_open(struct account *a, size_t count)
{
	*a = (struct account){ .letters = calloc(count + 1, 1) };
	if (!a->letters)
		die("calloc");
}

void account_add(struct account *a, char letter, uint32_t bytes)
{
	a->letters[a->count++] = letter;
	if (letter == REFUSED)
		return;
	a->sent++;
	a->bytes += bytes;
}

void account_error(struct account *a, int error)
{
	a->errors[(unsigned int)error < 256 ? error : 0]++;
}

void account_give_up(struct account *a, const struct times *t)
{
	a->gave_up = now_ms() < t->deadline_ms ? "idle" : "timeout";
}

void account_print(const struct account *a, const char *proto, const struct blocks *b)
{
	const char *comma = "";

	printf("{\"schema\":%d,\"flow\":0,\"proto\":\"%s\",\"ended\":\"%s\",\"sent\":%zu"
	       ",\"bytes\":%" PRIu64 ",\"letters\":\"%s\",\"blocks\":%u,\"compound\":%u"
	       ",\"errors\":{", XLFLOW_SCHEMA, proto,
	       a->gave_up ? a->gave_up : "complete", a->sent, a->bytes, a->letters,
	       b ? b->total : 0, b ? b->compound : 0);
	for (int e = 0; e < 256; e++) {
		if (!a->errors[e])
			continue;
		printf("%s\"%s\":%u", comma, error_name(e), a->errors[e]);
		comma = ",";
	}
	printf("}}\n");
}
