// SPDX-License-Identifier: GPL-2.0-only
/* Streams that are sent side by side: each has a process that reads it, and tells of it here. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "xlflow.h"

struct reader {
	int fd;
	pid_t pid;
};

static struct reader start(const struct flow *f, const struct times *t)
{
	struct reader r;
	int ends[2];

	if (pipe(ends))
		die("pipe");
	r = (struct reader){ .fd = ends[0], .pid = fork() };
	if (r.pid < 0)
		die("fork");
	if (!r.pid) {
		if (dup2(ends[1], STDOUT_FILENO) < 0)
			die("dup2");
		tcp_receive(f, t, false);
		exit(fflush(stdout) ? 1 : 0);
	}
	close(ends[1]);
	return r;
}

/* What a reader tells is less than a pipe holds: it never waits for us. */
static void finish(const struct reader *r)
{
	char line[4096];
	size_t had = 0;
	ssize_t n;
	int status;

	while ((n = read(r->fd, line + had, sizeof(line) - had)) > 0)
		had += n;
	if (n < 0 || waitpid(r->pid, &status, 0) < 0 || status)
		die("a reader of streams");
	fwrite(line, 1, had, stdout);
	close(r->fd);
}

void receive_together(const struct flow *flows, int count, const struct times *t)
{
	struct reader readers[FLOWS_MAX];

	fflush(stdout);
	for (int i = 0; i < count; i++)
		readers[i] = start(&flows[i], t);
	for (int i = 0; i < count; i++)
		finish(&readers[i]);
}
