/* SPDX-License-Identifier: GPL-2.0-only */
/* What a node does for the host without a shell; each writes its answer, one line without end. */
#ifndef STANDBY_DUTIES_H
#define STANDBY_DUTIES_H

#include <stddef.h>

#define LINE_BYTES 4096

/* "ok TEXT" or "failed TEXT" for a line of words; the line is changed. */
void do_duty(char *line, char *answer, size_t size);

/* Each returns 0, or -1 with the reason in `text`. */
int awaken(char **words, char *text, size_t size);
int ping(char **words, char *text, size_t size);

#endif
