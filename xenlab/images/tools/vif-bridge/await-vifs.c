// SPDX-License-Identifier: GPL-2.0-only
/*
 * await-vifs [-t SECONDS] [VIF ...]: returns once each vif (of no names: every one there is) has
 * its carrier and its bridge forwards what it sends; 1 with the names of those that do not in time.
 *
 * A frontend has its carrier as soon as it asked its backend to connect; that one connects later,
 * gets its carrier when it has seen the guest's receive slots (xenvif_rx_queue_ready), and only
 * then becomes a forwarding port. What is sent to the guest before is lost.
 */
#include <dirent.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "names.h"

#define CLASS_NET	"/sys/class/net"
#define PATIENCE_S	60
#define FORWARDING	3	/* BR_STATE_FORWARDING */
#define MESSAGE_BYTES	32768

/* The number in a file of a device; -1 for none, as a device that is down has no carrier file. */
static int read_number(const char *vif, const char *file)
{
	char path[128];
	int number = -1;
	FILE *stream;

	snprintf(path, sizeof(path), CLASS_NET "/%s/%s", vif, file);
	stream = fopen(path, "r");
	if (!stream)
		return -1;
	if (fscanf(stream, "%d", &number) != 1)
		number = -1;
	fclose(stream);
	return number;
}

static int ready(const char *vif)
{
	return read_number(vif, "carrier") == 1 && read_number(vif, "brport/state") == FORWARDING;
}

static int is_vif(const struct dirent *entry)
{
	return !strncmp(entry->d_name, "vif", 3);
}

/* How many are not ready; told of on standard error if `tell`. */
static int count_unready(char **vifs, int count, int tell)
{
	int i, unready = 0;

	for (i = 0; i < count; i++) {
		if (ready(vifs[i]))
			continue;
		unready++;
		if (tell)
			fprintf(stderr, "await-vifs: %s: carrier %d, state as a bridge port %d\n",
				vifs[i], read_number(vifs[i], "carrier"),
				read_number(vifs[i], "brport/state"));
	}
	return unready;
}

static int all_vifs(char ***vifs)
{
	struct dirent **entries;
	int i, count = scandir(CLASS_NET, &entries, is_vif, alphasort);

	if (count < 0)
		return -1;
	*vifs = calloc(count + 1, sizeof(**vifs));
	for (i = 0; *vifs && i < count; i++)
		(*vifs)[i] = entries[i]->d_name;
	return *vifs ? count : -1;
}

/* The kernel tells here of every change of a device and of a bridge's port. */
static int listen_to_links(void)
{
	struct sockaddr_nl group = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	int changes = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (changes >= 0 && bind(changes, (struct sockaddr *)&group, sizeof(group))) {
		close(changes);
		return -1;
	}
	return changes;
}

static time_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static int wait_until_ready(int changes, char **vifs, int count, int patience_s)
{
	static char message[MESSAGE_BYTES];
	struct pollfd readable = { .fd = changes, .events = POLLIN };
	time_t end = now_s() + patience_s;

	while (count_unready(vifs, count, 0)) {
		int left = end - now_s();

		if (left <= 0 || poll(&readable, 1, 1000 * left) <= 0)
			return count_unready(vifs, count, 1);
		/* ENOBUFS: messages were lost, and the state is read anew anyway. */
		if (recv(changes, message, sizeof(message), 0) < 0 && errno != ENOBUFS)
			return -1;
	}
	return 0;
}

int await_vifs(int argc, char **argv)
{
	int option, patience_s = PATIENCE_S, count, changes = listen_to_links();
	char **vifs;

	while ((option = getopt(argc, argv, "t:")) != -1) {
		if (option != 't') {
			fprintf(stderr, "usage: await-vifs [-t SECONDS] [VIF ...]\n");
			return 2;
		}
		patience_s = atoi(optarg);
	}
	vifs = argv + optind;
	count = argc - optind;
	if (changes < 0) {
		perror("await-vifs: netlink");
		return 1;
	}
	if (!count)
		count = all_vifs(&vifs);
	if (count < 0) {
		perror("await-vifs: " CLASS_NET);
		return 1;
	}
	return wait_until_ready(changes, vifs, count, patience_s) ? 1 : 0;
}
