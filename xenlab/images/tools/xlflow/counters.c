// SPDX-License-Identifier: GPL-2.0-only
/*
 * All counters of this node that say where a packet went, as one JSON object: the statistics of
 * every network device and of every queueing discipline (rtnetlink), and the protocol counters of
 * /proc/net/{snmp,netstat,snmp6}. One process and one answer, so that a snapshot costs one command.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/gen_stats.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xlflow.h"

#define LINE_MAX_BYTES	8192

typedef void print_fn(const struct nlmsghdr *message);

static const char *comma = "";
static char line[LINE_MAX_BYTES], values[LINE_MAX_BYTES];

/* The kernel escapes nothing in names, and it allows quotes in them. */
static void print_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	putchar('"');
}

static const struct rtattr *find(const struct rtattr *at, int left, unsigned short type)
{
	for (; RTA_OK(at, left); at = RTA_NEXT(at, left)) {
		if ((at->rta_type & NLA_TYPE_MASK) == type)
			return at;
	}
	return NULL;
}

static void print_link(const struct nlmsghdr *message)
{
	static const char * const names[] = {
		"rx_packets", "tx_packets", "rx_bytes", "tx_bytes", "rx_errors", "tx_errors",
		"rx_dropped", "tx_dropped", "multicast", "collisions", "rx_length_errors",
		"rx_over_errors", "rx_crc_errors", "rx_frame_errors", "rx_fifo_errors",
		"rx_missed_errors", "tx_aborted_errors", "tx_carrier_errors", "tx_fifo_errors",
		"tx_heartbeat_errors", "tx_window_errors", "rx_compressed", "tx_compressed",
		"rx_nohandler",
	};
	const struct ifinfomsg *info = NLMSG_DATA(message);
	int left = IFLA_PAYLOAD(message);
	const struct rtattr *name = find(IFLA_RTA(info), left, IFLA_IFNAME);
	const struct rtattr *stats = find(IFLA_RTA(info), left, IFLA_STATS64);
	size_t count = sizeof(names) / sizeof(names[0]);
	uint64_t value;

	if (!name || !stats)
		return;
	if (RTA_PAYLOAD(stats) / sizeof(value) < count)
		count = RTA_PAYLOAD(stats) / sizeof(value);
	printf("%s", comma);
	print_string(RTA_DATA(name));
	putchar(':');
	for (size_t i = 0; i < count; i++) {
		memcpy(&value, (const char *)RTA_DATA(stats) + i * sizeof(value), sizeof(value));
		printf("%c\"%s\":%" PRIu64, i ? ',' : '{', names[i], value);
	}
	putchar('}');
	comma = ",";
}

static void print_qdisc(const struct nlmsghdr *message)
{
	const struct tcmsg *tcm = NLMSG_DATA(message);
	int left = TCA_PAYLOAD(message);
	const struct rtattr *kind = find(TCA_RTA(tcm), left, TCA_KIND);
	const struct rtattr *stats = find(TCA_RTA(tcm), left, TCA_STATS2), *queue;
	struct gnet_stats_queue q;
	char name[IF_NAMESIZE];

	if (!kind || !stats || !if_indextoname(tcm->tcm_ifindex, name))
		return;
	queue = find(RTA_DATA(stats), RTA_PAYLOAD(stats), TCA_STATS_QUEUE);
	if (!queue || RTA_PAYLOAD(queue) < sizeof(q))
		return;
	memcpy(&q, RTA_DATA(queue), sizeof(q));
	printf("%s{\"device\":", comma);
	print_string(name);
	printf(",\"kind\":");
	print_string(RTA_DATA(kind));
	printf(",\"handle\":%u,\"parent\":%u,\"drops\":%u,\"backlog_packets\":%u}", tcm->tcm_handle,
	       tcm->tcm_parent, q.drops, q.qlen);
	comma = ",";
}

static void dump(int type, size_t header, print_fn *print)
{
	static char buffer[1 << 16] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct {
		struct nlmsghdr h;
		char body[sizeof(struct tcmsg) + sizeof(struct ifinfomsg)];
	} request = {
		.h = { .nlmsg_len = NLMSG_LENGTH(header), .nlmsg_type = type,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
	};
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	if (fd < 0 || send(fd, &request, request.h.nlmsg_len, 0) < 0)
		die("rtnetlink");
	for (;;) {
		const struct nlmsghdr *h = (const struct nlmsghdr *)buffer;
		ssize_t len = recv(fd, buffer, sizeof(buffer), 0);

		if (len < 0)
			die("rtnetlink");
		for (; NLMSG_OK(h, len); h = NLMSG_NEXT(h, len)) {
			if (h->nlmsg_type == NLMSG_ERROR) {
				errno = -((const struct nlmsgerr *)NLMSG_DATA(h))->error;
				die("rtnetlink dump");
			}
			if (h->nlmsg_type == NLMSG_DONE) {
				close(fd);
				return;
			}
			print(h);
		}
	}
}

/* /proc/net/{snmp,netstat}: a line of names, then a line of values, each begun by the protocol. */
static void print_pairs(const char *path)
{
	FILE *file = fopen(path, "r");

	if (!file)
		die(path);
	while (fgets(line, sizeof(line), file) && fgets(values, sizeof(values), file)) {
		char *names = line, *numbers = values, *name, *number;
		const char *group = strsep(&names, ":");

		strsep(&numbers, ":");
		while ((name = strsep(&names, " \n")) && (number = strsep(&numbers, " \n"))) {
			if (!*name || !*number)
				continue;
			printf("%s\"%s%s\":%s", comma, group, name, number);
			comma = ",";
		}
	}
	fclose(file);
}

/* /proc/net/snmp6, absent where IPv6 is off: a name and a value a line. */
static void print_lines(const char *path)
{
	FILE *file = fopen(path, "r");
	char name[64];
	uint64_t value;

	if (!file && errno == ENOENT)
		return;
	if (!file)
		die(path);
	while (fscanf(file, "%63s %" SCNu64, name, &value) == 2) {
		printf("%s\"%s\":%" PRIu64, comma, name, value);
		comma = ",";
	}
	fclose(file);
}

void counters_print(void)
{
	comma = "";
	printf("{\"schema\":%d,\"devices\":{", XLFLOW_SCHEMA);
	dump(RTM_GETLINK, sizeof(struct ifinfomsg), print_link);
	comma = "";
	printf("},\"qdiscs\":[");
	dump(RTM_GETQDISC, sizeof(struct tcmsg), print_qdisc);
	comma = "";
	printf("],\"protocols\":{");
	print_pairs("/proc/net/snmp");
	print_pairs("/proc/net/netstat");
	print_lines("/proc/net/snmp6");
	printf("},");
	unfinished_print();
	printf("}\n");
}
