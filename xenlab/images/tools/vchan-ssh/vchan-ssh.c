// SPDX-License-Identifier: GPL-2.0-only
/*
 * vchan-ssh: an SSH server behind a vchan, for a domU.
 *
 * Offers the vchan "data/ssh" to dom0 and, for each client that connects, has an SSH server in
 * inetd mode on a socket pair and moves the bytes. The server is started before its client comes,
 * since starting a program takes long on an emulated CPU. The rings are far larger than the 1 KiB
 * that vchan-socket-proxy asks for: with those, each KiB costs a switch between two domains.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libxenvchan.h>

#define DOM0		0
#define VCHAN_PATH	"data/ssh"
#define RING_BYTES	(1 << 17)

struct pump {
	char bytes[1 << 16];
	size_t start;
	size_t end;
};

static pid_t start_server(int *socket, char **argv)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		perror("vchan-ssh: socketpair");
		return -1;
	}
	pid = fork();
	if (pid == 0) {
		setsid();
		dup2(pair[1], STDIN_FILENO);
		dup2(pair[1], STDOUT_FILENO);
		execv(argv[0], argv);
		perror("vchan-ssh: execv");
		_exit(127);
	}
	close(pair[1]);
	*socket = pair[0];
	fcntl(*socket, F_SETFL, O_NONBLOCK);
	return pid;
}

/* Both return false when the stream they read has ended. */
static bool vchan_to_socket(struct libxenvchan *vchan, int socket, struct pump *pump)
{
	while (true) {
		ssize_t done;

		if (pump->start == pump->end) {
			int ready = libxenvchan_data_ready(vchan);

			if (ready <= 0)
				return libxenvchan_is_open(vchan) == 1;
			if ((size_t)ready > sizeof(pump->bytes))
				ready = sizeof(pump->bytes);
			done = libxenvchan_read(vchan, pump->bytes, ready);
			if (done < 0)
				return false;
			pump->start = 0;
			pump->end = done;
		}
		done = send(socket, pump->bytes + pump->start, pump->end - pump->start,
			    MSG_NOSIGNAL);
		if (done < 0)
			return errno == EAGAIN || errno == EINTR;
		pump->start += done;
	}
}

static bool socket_to_vchan(struct libxenvchan *vchan, int socket, struct pump *pump)
{
	while (true) {
		ssize_t done;
		int space;

		if (pump->start == pump->end) {
			done = recv(socket, pump->bytes, sizeof(pump->bytes), 0);
			if (done == 0)
				return false;
			if (done < 0)
				return errno == EAGAIN || errno == EINTR;
			pump->start = 0;
			pump->end = done;
		}
		space = libxenvchan_buffer_space(vchan);
		if (space <= 0)
			return libxenvchan_is_open(vchan) == 1;
		if ((size_t)space > pump->end - pump->start)
			space = pump->end - pump->start;
		done = libxenvchan_write(vchan, pump->bytes + pump->start, space);
		if (done < 0)
			return false;
		pump->start += done;
	}
}

static void serve(struct libxenvchan *vchan, int socket)
{
	static struct pump in, out;
	struct pollfd polls[2] = {
		{ .fd = libxenvchan_fd_for_select(vchan), .events = POLLIN },
		{ .fd = socket },
	};

	in.start = in.end = out.start = out.end = 0;
	while (vchan_to_socket(vchan, socket, &in) && socket_to_vchan(vchan, socket, &out)) {
		/* What waits for ring space is woken by the vchan, what waits for the socket by it. */
		polls[1].events = (in.start < in.end ? POLLOUT : 0) |
				  (out.start == out.end ? POLLIN : 0);
		if (poll(polls, 2, -1) < 0 && errno != EINTR)
			return;
		if (polls[0].revents)
			libxenvchan_wait(vchan);
	}
}

/* Returns once a client is there, or false when the waiting server has ended (it has a time-out). */
static bool wait_for_client(struct libxenvchan *vchan, int socket)
{
	struct pollfd polls[2] = {
		{ .fd = libxenvchan_fd_for_select(vchan), .events = POLLIN },
		{ .fd = socket },
	};

	while (libxenvchan_is_open(vchan) == 2) {
		if (poll(polls, 2, -1) < 0 && errno != EINTR)
			return false;
		if (polls[1].revents & (POLLHUP | POLLERR))
			return false;
		if (polls[0].revents)
			libxenvchan_wait(vchan);
	}
	return true;
}

/* On the console, which the host reads: from now on the control channel answers. */
static void announce(void)
{
	char name[64] = "";
	FILE *console = fopen("/dev/console", "w");

	gethostname(name, sizeof(name) - 1);
	if (!console)
		return;
	fprintf(console, "xenlab: %s is ready\n", name);
	fclose(console);
}

int main(int argc, char **argv)
{
	struct libxenvchan *vchan;
	bool announced = false, client;
	int socket;
	pid_t pid;

	if (argc < 2) {
		fprintf(stderr, "usage: vchan-ssh SERVER [ARGUMENT ...]\n");
		return 2;
	}
	while (true) {
		vchan = libxenvchan_server_init(NULL, DOM0, VCHAN_PATH, RING_BYTES, RING_BYTES);
		if (!vchan) {
			perror("vchan-ssh: libxenvchan_server_init");
			return 1;
		}
		if (!announced)
			announce();
		announced = true;
		do {
			pid = start_server(&socket, argv + 1);
			if (pid < 0)
				return 1;
			client = wait_for_client(vchan, socket);
			vchan->blocking = 0;
			if (client)
				serve(vchan, socket);
			close(socket);
			kill(pid, SIGHUP);
			waitpid(pid, NULL, 0);
		} while (!client);
		libxenvchan_close(vchan);
	}
}
