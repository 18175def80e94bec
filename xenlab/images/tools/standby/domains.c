// SPDX-License-Identifier: GPL-2.0-only
/* The domUs as dom0's xenstore knows them: their numbers, and whether one's standby is there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xenstore.h>

#include "domains.h"

#define DOMAINS	"/local/domain"

static char *read_name(struct xs_handle *store, const char *domid)
{
	char path[64];

	snprintf(path, sizeof(path), DOMAINS "/%s/name", domid);
	return xs_read(store, XBT_NULL, path, NULL);
}

int find_domid(const char *name)
{
	struct xs_handle *store = xs_open(0);
	unsigned int count = 0, i;
	int domid = -1;
	char **found;

	if (!store)
		return -1;
	found = xs_directory(store, XBT_NULL, DOMAINS, &count);
	for (i = 0; found && domid < 0 && i < count; i++) {
		char *its = read_name(store, found[i]);

		if (its && !strcmp(its, name))
			domid = atoi(found[i]);
		free(its);
	}
	free(found);
	xs_close(store);
	return domid;
}

int domids(char **words, char *text, size_t size)
{
	size_t used = 0;

	for (; *words; words++) {
		int domid = find_domid(*words);

		if (domid < 0) {
			snprintf(text, size, "Xen has no domain %s", *words);
			return -1;
		}
		used += snprintf(text + used, size - used, "%d ", domid);
	}
	return 0;
}

/* xenstore tells at once of what is there already. */
void wait_for_offer(const char *path)
{
	struct xs_handle *store = xs_open(0);
	char node[96], *offer = NULL;
	unsigned int count;

	snprintf(node, sizeof(node), "%s/event-channel", path);	/* the last that is written */
	xs_watch(store, node, "offer");
	while (!offer) {
		char **change = xs_read_watch(store, &count);

		if (!change)
			break;
		free(change);
		offer = xs_read(store, XBT_NULL, node, NULL);
	}
	free(offer);
	xs_close(store);
}
