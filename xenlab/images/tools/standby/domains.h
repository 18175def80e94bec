/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef STANDBY_DOMAINS_H
#define STANDBY_DOMAINS_H

#include <stddef.h>

/* The number of a domU; -1 if there is none of that name. */
int find_domid(const char *name);

/* Return once the vchan at `path` is offered. */
void wait_for_offer(const char *path);

/* A duty of dom0: the number of each domU named. */
int domids(char **words, char *text, size_t size);

#endif
