// SPDX-License-Identifier: GPL-2.0-only
/*
 * vchan-pipe: a byte stream between dom0 and a domU over a vchan, whatever their networks do.
 *
 * "vchan-pipe serve PROGRAM [ARGUMENT ...]" in a domU offers the vchan "data/ssh" to dom0 and, for
 * each client that connects, has the program (an SSH server in inetd mode) on a socket pair. It is
 * started before its client comes, since starting a program takes long on an emulated CPU.
 * "vchan-pipe connect DOMID" in dom0 connects standard input and output to it.
 *
 * The rings are far larger than the 1 KiB that vchan-socket-proxy asks for: with those, each KiB
 * costs a switch between two domains. And both ends are static: see above.
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
		perror("vchan-pipe: socketpair");
		return -1;
	}
	pid = fork();
	if (pid == 0) {
		setsid();
		signal(SIGPIPE, SIG_DFL);
		dup2(pair[1], STDIN_FILENO);
		dup2(pair[1], STDOUT_FILENO);
		execv(argv[0], argv);
		perror("vchan-pipe: execv");
		_exit(127);
	}
	close(pair[1]);
	*socket = pair[0];
	return pid;
}

/* Both return false when the stream they read has ended. */
static bool vchan_to_fd(struct libxenvchan *vchan, int fd, struct pump *pump)
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
		done = write(fd, pump->bytes + pump->start, pump->end - pump->start);
		if (done < 0)
			return errno == EAGAIN || errno == EINTR;
		pump->start += done;
	}
}

static bool fd_to_vchan(struct libxenvchan *vchan, int fd, struct pump *pump)
{
	while (true) {
		ssize_t done;
		int space;

		if (pump->start == pump->end) {
			done = read(fd, pump->bytes, sizeof(pump->bytes));
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

/* Move bytes both ways until either stream has ended. */
static void pump_both(struct libxenvchan *vchan, int source, int sink)
{
	static struct pump in, out;
	struct pollfd polls[3] = {
		{ .fd = libxenvchan_fd_for_select(vchan), .events = POLLIN },
		{ .fd = source },
		{ .fd = sink },
	};

	in.start = in.end = out.start = out.end = 0;
	fcntl(source, F_SETFL, O_NONBLOCK);
	fcntl(sink, F_SETFL, O_NONBLOCK);
	vchan->blocking = 0;
	while (vchan_to_fd(vchan, sink, &in) && fd_to_vchan(vchan, source, &out)) {
		/* What waits for ring space is woken by the vchan, what waits for an fd by it. */
		polls[1].events = out.start == out.end ? POLLIN : 0;
		polls[2].events = in.start < in.end ? POLLOUT : 0;
		if (poll(polls, 3, -1) < 0 && errno != EINTR)
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

static int serve(char **argv)
{
	struct libxenvchan *vchan;
	bool announced = false, client;
	int socket;
	pid_t pid;

	while (true) {
		vchan = libxenvchan_server_init(NULL, DOM0, VCHAN_PATH, RING_BYTES, RING_BYTES);
		if (!vchan) {
			perror("vchan-pipe: libxenvchan_server_init");
			return 1;
		}
		if (!announced)
			announce();
		announced = true;
		do {
			pid = start_server(&socket, argv);
			if (pid < 0)
				return 1;
			client = wait_for_client(vchan, socket);
			if (client)
				pump_both(vchan, socket, socket);
			close(socket);
			kill(pid, SIGHUP);
			waitpid(pid, NULL, 0);
		} while (!client);
		libxenvchan_close(vchan);
	}
}

static int connect_to(const char *domid)
{
	struct libxenvchan *vchan;
	char path[64];

	snprintf(path, sizeof(path), "/local/domain/%s/" VCHAN_PATH, domid);
	vchan = libxenvchan_client_init(NULL, atoi(domid), path);
	if (!vchan) {
		perror("vchan-pipe: libxenvchan_client_init");
		return 1;
	}
	pump_both(vchan, STDIN_FILENO, STDOUT_FILENO);
	libxenvchan_close(vchan);
	return 0;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc > 2 && !strcmp(argv[1], "serve"))
		return serve(argv + 2);
	if (argc == 3 && !strcmp(argv[1], "connect"))
		return connect_to(argv[2]);
	fprintf(stderr, "usage: vchan-pipe serve PROGRAM [ARGUMENT ...] | connect DOMID\n");
	return 2;
}
