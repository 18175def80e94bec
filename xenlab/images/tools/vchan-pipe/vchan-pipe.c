// SPDX-License-Identifier: GPL-2.0-only
/*
 * vchan-pipe: a byte stream between dom0 and a domU over a vchan, whatever their networks do.
 *
 * "vchan-pipe serve SECONDS PROGRAM [ARGUMENT ...]" in a domU offers the vchan "data/ssh" to dom0
 * and, for each client that connects, has the program (an SSH server in inetd mode) on a socket
 * pair. It is started before its client comes, since starting a program takes long on an emulated
 * CPU, and anew when none has come for so many seconds: dropbear ends who has not logged in 300 s
 * after its own start, and a client of the last second would be cut off in the middle. Once a
 * client is there another process offers the next vchan in the same place, so that any number of
 * clients are served side by side.
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
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libxenvchan.h>
#include <xenstore.h>

#define DOM0		0
#define VCHAN_PATH	"data/ssh"
#define RING_BYTES	(1 << 17)
#define OFFER_PAUSE_US	10000
#define OFFER_TRIES	1000	/* 10 s and more */

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

	in.start = 0;
	in.end = 0;
	out.start = 0;
	out.end = 0;
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

/* Returns once a client is there, or false when the waiting server has ended or has to. */
static bool wait_for_client(struct libxenvchan *vchan, int socket, int patience_ms)
{
	struct pollfd polls[2] = {
		{ .fd = libxenvchan_fd_for_select(vchan), .events = POLLIN },
		{ .fd = socket },
	};

	while (libxenvchan_is_open(vchan) == 2) {
		int ready = poll(polls, 2, patience_ms);

		if (!ready || (ready < 0 && errno != EINTR))
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

/* One offer, one client, one server; writes a byte to `taken` as soon as the client is there. */
static int serve_one(char **argv, int patience_ms, bool first, int taken)
{
	struct libxenvchan *vchan;
	bool client;
	int socket;
	pid_t pid;

	vchan = libxenvchan_server_init(NULL, DOM0, VCHAN_PATH, RING_BYTES, RING_BYTES);
	if (!vchan) {
		perror("vchan-pipe: libxenvchan_server_init");
		return 1;
	}
	if (first)
		announce();
	do {
		pid = start_server(&socket, argv);
		if (pid < 0)
			return 1;
		client = wait_for_client(vchan, socket, patience_ms);
		if (client) {
			if (write(taken, "", 1) != 1)
				return 1;
			close(taken);
			pump_both(vchan, socket, socket);
		}
		close(socket);
		kill(pid, SIGHUP);
		waitpid(pid, NULL, 0);
	} while (!client);
	/*
	 * No libxenvchan_close(): it would take the next offer out of xenstore. The kernel tells
	 * the client when our pages go away.
	 */
	return 0;
}

static int serve(char **argv, int patience_ms)
{
	bool first = true;

	while (true) {
		int taken[2];
		char byte;
		pid_t pid;

		if (pipe(taken)) {
			perror("vchan-pipe: pipe");
			return 1;
		}
		pid = fork();
		if (pid == 0) {
			close(taken[0]);
			signal(SIGCHLD, SIG_DFL);
			_exit(serve_one(argv, patience_ms, first, taken[1]));
		}
		close(taken[1]);
		signal(SIGCHLD, SIG_IGN);	/* nobody waits for those that have their client */
		if (pid < 0 || read(taken[0], &byte, 1) != 1)
			return 1;		/* init starts us again */
		close(taken[0]);
		first = false;
	}
}

/* The event channel that the domU offers now, another for each offer; 0 if none. */
static unsigned int read_offer(struct xs_handle *store, const char *path)
{
	char node[96];
	char *value;
	unsigned int offer = 0;

	snprintf(node, sizeof(node), "%s/event-channel", path);
	value = xs_read(store, XBT_NULL, node, NULL);
	if (value)
		offer = strtoul(value, NULL, 10);
	free(value);
	return offer;
}

/*
 * Take the domU's offer. Clients queue for it by a lock, each holding it until the domU has made
 * its next offer: else the second would join the first one's vchan.
 */
static struct libxenvchan *take_offer(const char *domid)
{
	struct libxenvchan *vchan = NULL;
	struct xs_handle *store = xs_open(0);
	char path[64], lock_path[64];
	int lock, tries;

	snprintf(path, sizeof(path), "/local/domain/%s/" VCHAN_PATH, domid);
	snprintf(lock_path, sizeof(lock_path), "/run/xenlab/vchan-%s.lock", domid);
	lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (!store || lock < 0 || flock(lock, LOCK_EX))
		return NULL;
	for (tries = 0; tries < OFFER_TRIES; tries++) {
		unsigned int offer = read_offer(store, path);

		if (offer)
			vchan = libxenvchan_client_init(NULL, atoi(domid), path);
		if (vchan) {
			while (tries++ < OFFER_TRIES && read_offer(store, path) == offer)
				usleep(OFFER_PAUSE_US);
			break;
		}
		usleep(OFFER_PAUSE_US);
	}
	close(lock);
	xs_close(store);
	return vchan;
}

static int connect_to(const char *domid)
{
	struct libxenvchan *vchan = take_offer(domid);

	if (!vchan) {
		fprintf(stderr, "vchan-pipe: domain %s offers no vchan\n", domid);
		return 1;
	}
	pump_both(vchan, STDIN_FILENO, STDOUT_FILENO);
	libxenvchan_close(vchan);
	return 0;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc > 3 && !strcmp(argv[1], "serve") && atoi(argv[2]) > 0)
		return serve(argv + 3, 1000 * atoi(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "connect"))
		return connect_to(argv[2]);
	fprintf(stderr, "usage: vchan-pipe serve SECONDS PROGRAM [ARGUMENT ...] | connect DOMID\n");
	return 2;
}
