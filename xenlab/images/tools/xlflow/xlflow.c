// SPDX-License-Identifier: GPL-2.0-only
/*
 * xlflow: makes and checks flows of exactly known payload, and reads a node's counters.
 *
 *	xlflow recv [--nonce A+B] [--idle-ms N] [--linger-ms N] [--timeout-ms N] [--apart-mtu N]
 *		[--counters] FLOW...
 *	xlflow send [--timeout-ms N] [--counters] FLOW...
 *	xlflow counters
 *	xlflow read [--counters] PATTERN... -- DEVICE...
 *
 * FLOW is proto@address@port@seed@sizes, address and port being the receiver's. The receiver binds
 * all its flows, prints `READY AB` and takes them as they come. It ends when all are complete, or
 * idle after a SIGUSR1, by which it is told that the sender has ended. Each side prints one JSON
 * object per flow, a line each. With --counters it prints what `counters` does before it begins and
 * when all is done and silent, which saves two commands; and so does `read`, before the lines of
 * files that match the patterns, and the devices' `ethtool -S`. Status: 0 ran to its end (whatever
 * it found), 1 the system refused something, 2 usage.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xlflow.h"

enum option_id {
	OPT_NONCE = 1, OPT_IDLE, OPT_LINGER, OPT_TIMEOUT, OPT_APART, OPT_COUNTERS,
};

static const struct option options[] = {
	{ "nonce", required_argument, NULL, OPT_NONCE },
	{ "idle-ms", required_argument, NULL, OPT_IDLE },
	{ "linger-ms", required_argument, NULL, OPT_LINGER },
	{ "timeout-ms", required_argument, NULL, OPT_TIMEOUT },
	{ "apart-mtu", required_argument, NULL, OPT_APART },
	{ "counters", no_argument, NULL, OPT_COUNTERS },
	{ 0 },
};

static struct flow flows[FLOWS_MAX];

static void usage(void) __attribute__((noreturn));

static void usage(void)
{
	fputs("usage: xlflow recv|send [--nonce A+B] [--idle-ms N] [--linger-ms N]"
	      " [--timeout-ms N] [--apart-mtu N] [--counters] proto@address@port@seed@sizes...\n"
	      "       xlflow counters\n"
	      "       xlflow read [--counters] PATTERN... -- DEVICE...\n", stderr);
	exit(2);
}

static void set(int fd, int level, int name, int value, const char *what)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)))
		die(what);
}

/* Without CAP_NET_ADMIN the system's own maximum stands; an overrun shows in UdpRcvbufErrors. */
static void set_receive_buffer(int fd)
{
	int bytes = RECEIVE_BUFFER_BYTES;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		set(fd, SOL_SOCKET, SO_RCVBUF, bytes, "SO_RCVBUF");
}

static void open_receiver(struct flow *f)
{
	f->fd = socket(f->addr.sa.sa_family, f->tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
	if (f->fd < 0)
		die("socket");
	if (f->tcp)
		set(f->fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
	else
		set_receive_buffer(f->fd);
	if (bind(f->fd, &f->addr.sa, f->addr_len))
		die("bind");
	if (f->tcp && listen(f->fd, 1))
		die("listen");
}

/*
 * Path MTU discovery is off so that a datagram above the MTU leaves in fragments. IP_RECVERR makes
 * a drop in the source's own queueing discipline an error of send() instead of a silent loss.
 */
static void open_sender(struct flow *f)
{
	int flags = f->tcp ? SOCK_STREAM | SOCK_NONBLOCK : SOCK_DGRAM;

	f->fd = socket(f->addr.sa.sa_family, flags, 0);
	if (f->fd < 0)
		die("socket");
	if (f->tcp)
		return;
	if (f->addr.sa.sa_family == AF_INET) {
		set(f->fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT, "IP_MTU_DISCOVER");
		set(f->fd, IPPROTO_IP, IP_RECVERR, 1, "IP_RECVERR");
	} else {
		set(f->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT,
		    "IPV6_MTU_DISCOVER");
		set(f->fd, IPPROTO_IPV6, IPV6_RECVERR, 1, "IPV6_RECVERR");
	}
	if (connect(f->fd, &f->addr.sa, f->addr_len))
		die("connect");
}

static void receive(int count, const struct times *t, const char *nonce)
{
	listen_for_end();
	for (int i = 0; i < count; i++)
		open_receiver(&flows[i]);
	/* The nonce comes in two halves, so that an echo of the command is not the answer. */
	printf("READY %.*s%s\n", (int)strcspn(nonce, "+"), nonce,
	       nonce[strcspn(nonce, "+")] ? nonce + strcspn(nonce, "+") + 1 : "");
	receive_all(flows, count, t);
	for (int i = 0; i < count; i++)
		close(flows[i].fd);
}

static void send_all(int count, const struct times *t)
{
	for (int i = 0; i < count; i++) {
		struct flow *f = &flows[i];

		open_sender(f);
		if (f->tcp)
			tcp_send(f, t);
		else
			udp_send(f, t);
		close(f->fd);
	}
}

static int finish(void)
{
	if (fflush(stdout) || ferror(stdout))
		die("stdout");
	return 0;
}

static int number(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (end == text || *end || value < 0 || value > 86400000)
		usage();
	return value;
}

/* IP and UDP, without options. */
static size_t headers_bytes(const struct flow *f)
{
	return f->addr.sa.sa_family == AF_INET6 ? 48 : 28;
}

/* [--counters] PATTERN... -- DEVICE... */
static int read_all(char **words)
{
	bool counters = *words && !strcmp(*words, "--counters");
	char **devices;

	words += counters;
	for (devices = words; *devices && strcmp(*devices, "--"); devices++)
		;
	if (!*devices)
		usage();
	*devices++ = NULL;
	if (counters)
		counters_print();
	reading_print(words, devices);
	return finish();
}

int main(int argc, char **argv)
{
	struct times t = { .idle_ms = 3000, .linger_ms = 20 };
	const char *nonce = "", *verb = argc > 1 ? argv[1] : "";
	int timeout_ms = 60000, apart_mtu = 0, opt, count;
	bool counters = false;

	signal(SIGPIPE, SIG_IGN);
	if (!strcmp(verb, "counters") && argc == 2) {
		counters_print();
		return finish();
	}
	if (!strcmp(verb, "read"))
		return read_all(argv + 2);
	if (argc < 3 || (strcmp(verb, "recv") && strcmp(verb, "send")))
		usage();
	argc--;
	argv++;
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case OPT_NONCE:
			nonce = optarg;
			break;
		case OPT_IDLE:
			t.idle_ms = number(optarg);
			break;
		case OPT_LINGER:
			t.linger_ms = number(optarg);
			break;
		case OPT_TIMEOUT:
			timeout_ms = number(optarg);
			break;
		case OPT_APART:
			apart_mtu = number(optarg);
			break;
		case OPT_COUNTERS:
			counters = true;
			break;
		default:
			usage();
		}
	}
	count = argc - optind;
	if (count < 1 || count > FLOWS_MAX)
		usage();
	for (int i = 0; i < count; i++)
		flow_parse(&flows[i], i, argv[optind + i]);
	for (int i = 0; i < count && apart_mtu; i++)
		flows[i].whole_max = apart_mtu - headers_bytes(&flows[i]);
	t.deadline_ms = now_ms() + timeout_ms;
	if (counters)
		counters_print();
	if (!strcmp(verb, "recv")) {
		if (counters)
			limit_reassembly(&t);
		receive(count, &t, nonce);
	} else {
		send_all(count, &t);
	}
	if (counters) {
		await_silence(&t);
		restore_reassembly();
		counters_print();
	}
	return finish();
}
