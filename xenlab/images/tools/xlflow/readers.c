// SPDX-License-Identifier: GPL-2.0-only
/*
 * Readers: each flow has a process that reads it, and tells of it here.
 *
 * One that waits for what was lost keeps no other from being read, so none need give up while the
 * sender has not ended: whether it has is not to be seen from here, and SIGUSR1 tells it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "xlflow.h"

#define ANSWER_MAX	(1 << 16)	/* what a pipe holds: no reader waits for us */
#define LOOK_MS		50

struct reader {
	int fd;
	pid_t pid;
};

static volatile sig_atomic_t *sender_ended;
/* Held back until all is told: whoever hears nothing knows that something is awaited. */
static char held[FLOWS_MAX * ANSWER_MAX];

static void note_end(int signal)
{
	(void)signal;
	*sender_ended = 1;
}

/* Shared with the readers, which are not told one by one. */
void listen_for_end(void)
{
	struct sigaction action = { .sa_handler = note_end, .sa_flags = SA_RESTART };

	sender_ended = mmap(NULL, sizeof(*sender_ended), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sender_ended == MAP_FAILED)
		die("mmap");
	if (sigaction(SIGUSR1, &action, NULL))
		die("sigaction");
}

bool wait_for_sender(int fd, short events, int patience_ms, const struct times *t)
{
	while (!*sender_ended && now_ms() < t->deadline_ms) {
		if (wait_for(fd, events, LOOK_MS, t))
			return true;
	}
	return wait_for(fd, events, patience_ms, t);
}

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
		/* Whoever ends this program means its readers too. */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL))
			die("prctl");
		if (dup2(ends[1], STDOUT_FILENO) < 0)
			die("dup2");
		if (f->tcp)
			tcp_receive(f, t);
		else
			udp_receive(f, t);
		exit(fflush(stdout) ? 1 : 0);
	}
	close(ends[1]);
	return r;
}

static void finish(const struct reader *r)
{
	static char answer[ANSWER_MAX];
	size_t had = 0;
	ssize_t n;
	int status;

	while ((n = read(r->fd, answer + had, sizeof(answer) - had)) > 0)
		had += n;
	if (n < 0 || waitpid(r->pid, &status, 0) < 0 || status)
		die("a reader of flows");
	fwrite(answer, 1, had, stdout);
	close(r->fd);
}

void receive_all(const struct flow *flows, int count, const struct times *t)
{
	struct reader readers[FLOWS_MAX];

	fflush(stdout);
	if (setvbuf(stdout, held, _IOFBF, sizeof(held)))
		die("setvbuf");
	for (int i = 0; i < count; i++)
		readers[i] = start(&flows[i], t);
	for (int i = 0; i < count; i++)
		finish(&readers[i]);
}
