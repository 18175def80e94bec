// SPDX-License-Identifier: GPL-2.0-only
/* The options that sources share. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xlsource.h"

enum option_id {
	OPT_TIMEOUT = 1, OPT_IDLE, OPT_DEVICE, OPT_BRIDGE, OPT_SEED, OPT_ID, OPT_MAC, OPT_IP4,
	OPT_IP6, OPT_PORTS,
};

static const struct option options[] = {
	{ "timeout-ms", required_argument, NULL, OPT_TIMEOUT },
	{ "idle-ms", required_argument, NULL, OPT_IDLE },
	{ "device", required_argument, NULL, OPT_DEVICE },
	{ "bridge", required_argument, NULL, OPT_BRIDGE },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "first-id", required_argument, NULL, OPT_ID },
	{ "mac", required_argument, NULL, OPT_MAC },
	{ "ip4", required_argument, NULL, OPT_IP4 },
	{ "ip6", required_argument, NULL, OPT_IP6 },
	{ "ports", required_argument, NULL, OPT_PORTS },
	{ 0 },
};

uint64_t word_number(const char *text, uint64_t max)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || value > max)
		usage();
	return value;
}

static void parse_mac(uint8_t *to, const char *text)
{
	int used = 0;

	if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx%n", to, to + 1, to + 2, to + 3, to + 4,
		   to + 5, &used) != 6 || text[used])
		usage();
}

static void parse_address(int family, void *to, const char *text)
{
	if (inet_pton(family, text, to) != 1)
		usage();
}

/* FROM,TO */
static void parse_pair(struct sender *s, int which, char *from)
{
	char *to = strchr(from, ',');

	if (!to)
		usage();
	*to++ = 0;
	if (which == OPT_MAC) {
		parse_mac(s->mac_from, from);
		parse_mac(s->mac_to, to);
	} else if (which == OPT_IP4) {
		parse_address(AF_INET, &s->ip4_from, from);
		parse_address(AF_INET, &s->ip4_to, to);
	} else if (which == OPT_IP6) {
		parse_address(AF_INET6, &s->ip6_from, from);
		parse_address(AF_INET6, &s->ip6_to, to);
	} else {
		s->port_from = word_number(from, UINT16_MAX);
		s->port_to = word_number(to, UINT16_MAX);
	}
}

static void parse_option(struct sender *s, int which)
{
	if (!s)
		usage();
	if (which == OPT_DEVICE)
		s->device = optarg;
	else if (which == OPT_BRIDGE)
		s->bridge = optarg;
	else if (which == OPT_SEED)
		s->seed = word_number(optarg, UINT64_MAX);
	else if (which == OPT_ID)
		s->first_id = word_number(optarg, UINT64_MAX);
	else
		parse_pair(s, which, optarg);
}

int sender_parse(struct sender *s, int argc, char **argv, struct times *t)
{
	int which;

	while ((which = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (which == '?')
			usage();
		if (which == OPT_TIMEOUT)
			t->deadline_ms = now_ms() + word_number(optarg, INT32_MAX);
		else if (which == OPT_IDLE)
			t->idle_ms = word_number(optarg, INT32_MAX);
		else
			parse_option(s, which);
	}
	return optind;
}
