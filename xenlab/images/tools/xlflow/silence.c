// SPDX-License-Identifier: GPL-2.0-only
/*
 * Silence: what this node has begun and not ended, and what will therefore still make it talk.
 *
 * A datagram of which a fragment was lost waits for it up to 60 s (net.ipv6.ip6frag_time) and is
 * then told to its source by an ICMP message. A stream whose last segments were lost sends them
 * again for minutes, although its program has ended. Both would fall into somebody else's account.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "xlflow.h"

#define LOOK_MS			5
#define SSH_PORT		22	/* dom0's control, which crosses no vif */
#define TCP_FIN_WAIT2		5
#define TCP_TIME_WAIT		6

static const char * const limits[] = {
	"/proc/sys/net/ipv4/ipfrag_time",
	"/proc/sys/net/ipv6/ip6frag_time",
};

static int usual_s[sizeof(limits) / sizeof(limits[0])];

struct unfinished {
	unsigned int fragments4, fragments6, streams;
};

/* A queue of fragments a datagram: `FRAG: inuse 1 memory 2048`. No file where IPv6 is off. */
static unsigned int read_queues(const char *path, const char *format)
{
	FILE *file = fopen(path, "r");
	unsigned int queues = 0;
	char line[256];

	if (!file && errno == ENOENT)
		return 0;
	if (!file)
		die(path);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, format, &queues) == 1)
			break;
	}
	fclose(file);
	return queues;
}

/*
 * Streams that no program holds any more, or not yet. Two states of them never send by themselves:
 * FIN_WAIT2 and TIME_WAIT.
 */
static unsigned int read_streams(const char *path)
{
	FILE *file = fopen(path, "r");
	unsigned int streams = 0;
	char line[512];

	if (!file && errno == ENOENT)
		return 0;
	if (!file)
		die(path);
	while (fgets(line, sizeof(line), file)) {
		unsigned int port, state;
		uint64_t inode;

		if (sscanf(line, "%*s %*[^:]:%x %*s %x %*s %*s %*s %*s %*s %" SCNu64, &port, &state,
			   &inode) != 3)
			continue;
		if (!inode && port != SSH_PORT && state != TCP_FIN_WAIT2 && state != TCP_TIME_WAIT)
			streams++;
	}
	fclose(file);
	return streams;
}

static struct unfinished read_unfinished(void)
{
	return (struct unfinished){
		.fragments4 = read_queues("/proc/net/sockstat", "FRAG: inuse %u"),
		.fragments6 = read_queues("/proc/net/sockstat6", "FRAG6: inuse %u"),
		.streams = read_streams("/proc/net/tcp") + read_streams("/proc/net/tcp6"),
	};
}

void unfinished_print(void)
{
	struct unfinished u = read_unfinished();

	printf("\"unfinished\":{\"fragments4\":%u,\"fragments6\":%u,\"streams\":%u}", u.fragments4,
	       u.fragments6, u.streams);
}

void await_silence(const struct times *t)
{
	while (now_ms() < t->deadline_ms) {
		struct unfinished u = read_unfinished();

		if (!u.fragments4 && !u.fragments6 && !u.streams)
			return;
		poll(NULL, 0, LOOK_MS);
	}
}

/* Who may not is not helped: await_silence() then takes as long as the system's own limit. */
static void write_limit(const char *path, int seconds)
{
	FILE *file = fopen(path, "w");

	if (!file)
		return;
	fprintf(file, "%d\n", seconds);
	fclose(file);
}

void limit_reassembly(const struct times *t)
{
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		FILE *file = fopen(limits[i], "r");

		if (!file)
			continue;
		if (fscanf(file, "%d", &usual_s[i]) == 1)
			write_limit(limits[i], (t->idle_ms + 999) / 1000);
		fclose(file);
	}
}

void restore_reassembly(void)
{
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (usual_s[i])
			write_limit(limits[i], usual_s[i]);
	}
}
