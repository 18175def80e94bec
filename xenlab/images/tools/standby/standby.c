// SPDX-License-Identifier: GPL-2.0-only
/*
 * standby: answers the host from a machine that boots or was restored; starts no program for it.
 *
 * It waits in memory from boot on, and in a saved machine too; a shell would come over SSH, and an
 * emulated CPU that has not translated that code yet needs a second for each handshake.
 *
 * "standby serve" in a domU offers the vchan "data/standby" to dom0. "standby attend dom0 DOMU ..."
 * in dom0 takes those of the domUs, and serves dom0 itself: one process for each node, between it
 * and its virtio port "standby.NODE". The first goes into the background. A request is a line of
 * words, its answer a line too: see duties.c.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libxenvchan.h>

#include "domains.h"
#include "duties.h"

#define DOM0		"dom0"
#define VCHAN_PATH	"data/standby"
#define RING_BYTES	4096
#define PORTS		"/sys/class/virtio-ports"

static void become_silent(void)
{
	int null = open("/dev/null", O_RDWR);

	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
}

/* One line without its end; false when the other end has gone. */
static bool receive_line(struct libxenvchan *vchan, char *line)
{
	size_t used;

	for (used = 0; used < LINE_BYTES - 1; used++) {
		if (libxenvchan_recv(vchan, line + used, 1) != 1)
			return false;
		if (line[used] == '\n')
			break;
	}
	line[used] = 0;
	return true;
}

static bool send_line(struct libxenvchan *vchan, const char *line)
{
	size_t bytes = strlen(line), done = 0;

	while (done < bytes) {
		int sent = libxenvchan_write(vchan, line + done, bytes - done);

		if (sent < 0)
			return false;
		done += sent;
	}
	return libxenvchan_send(vchan, "\n", 1) == 1;
}

static int serve(void)
{
	static char line[LINE_BYTES], answer[LINE_BYTES];
	struct libxenvchan *vchan;

	vchan = libxenvchan_server_init(NULL, 0, VCHAN_PATH, RING_BYTES, RING_BYTES);
	if (!vchan) {
		perror("standby: libxenvchan_server_init");
		return 1;
	}
	vchan->blocking = 1;
	if (daemon(1, 1))
		return 1;
	become_silent();
	while (receive_line(vchan, line)) {
		do_duty(line, answer, sizeof(answer));
		if (!send_line(vchan, answer))
			break;
	}
	return 0;
}

/* The virtio port of that name, open; -1 if there is none. */
static int open_port(const char *node)
{
	DIR *ports = opendir(PORTS);
	char path[512], name[128], wanted[128];
	struct dirent *entry;
	int port = -1;

	snprintf(wanted, sizeof(wanted), "standby.%s\n", node);
	while (ports && port < 0 && (entry = readdir(ports))) {
		FILE *file;

		snprintf(path, sizeof(path), PORTS "/%s/name", entry->d_name);
		file = fopen(path, "r");
		if (!file)
			continue;
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		if (fgets(name, sizeof(name), file) && !strcmp(name, wanted))
			port = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		fclose(file);
	}
	if (ports)
		closedir(ports);
	return port;
}

/*
 * The host's next line. While no host is there a read says "end of file" and a poll "hung up", at
 * once and for ever: hence the edge-triggered epoll, which speaks again when that changes.
 */
static void read_request(int port, int changes, char *line)
{
	struct epoll_event event;
	size_t used = 0;

	while (true) {
		ssize_t got = read(port, line + used, 1);

		if (got == 1 && line[used] == '\n')
			break;
		if (got == 1 && used < LINE_BYTES - 1)
			used++;
		else if (got != 1)
			epoll_wait(changes, &event, 1, -1);
	}
	line[used] = 0;
}

static void write_answer(int port, int changes, char *answer)
{
	size_t bytes = strlen(answer), done = 0;
	struct epoll_event event;

	answer[bytes++] = '\n';
	while (done < bytes) {
		ssize_t put = write(port, answer + done, bytes - done);

		if (put > 0)
			done += put;
		else
			epoll_wait(changes, &event, 1, -1);
	}
}

static void attend_for_ever(int port, struct libxenvchan *vchan)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET };
	static char line[LINE_BYTES], answer[LINE_BYTES + 1];
	int changes = epoll_create1(EPOLL_CLOEXEC);

	epoll_ctl(changes, EPOLL_CTL_ADD, port, &event);
	while (true) {
		read_request(port, changes, line);
		if (!vchan)
			do_duty(line, answer, LINE_BYTES);
		else if (!send_line(vchan, line) || !receive_line(vchan, answer))
			snprintf(answer, sizeof(answer), "failed: the domU has gone");
		write_answer(port, changes, answer);
	}
}

/* The process of one node. */
static int attend_one(const char *node)
{
	struct libxenvchan *vchan = NULL;
	int domid, port = open_port(node);
	char path[64];

	if (port < 0) {
		fprintf(stderr, "standby: no virtio port for %s\n", node);
		return 1;
	}
	if (strcmp(node, DOM0)) {
		domid = find_domid(node);
		snprintf(path, sizeof(path), "/local/domain/%d/" VCHAN_PATH, domid);
		wait_for_offer(path);
		vchan = libxenvchan_client_init(NULL, domid, path);
		if (!vchan) {
			fprintf(stderr, "standby: %s offers no vchan: %s\n", node, strerror(errno));
			return 1;
		}
		vchan->blocking = 1;
	}
	become_silent();
	attend_for_ever(port, vchan);
	return 0;
}

static int attend(char **nodes)
{
	int status, failed = 0;

	for (; *nodes; nodes++)
		if (fork() == 0)
			_exit(attend_one(*nodes));
	while (wait(&status) > 0)
		failed |= status;
	return failed ? 1 : 0;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc == 2 && !strcmp(argv[1], "serve"))
		return serve();
	if (argc > 2 && !strcmp(argv[1], "attend"))
		return attend(argv + 2);
	fprintf(stderr, "usage: standby serve | attend NODE ...\n");
	return 2;
}
