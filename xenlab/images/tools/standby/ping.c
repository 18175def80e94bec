// SPDX-License-Identifier: GPL-2.0-only
/*
 * ping ADDRESS ...: one ICMP echo to each IPv4 address, one after the other; what comes back must
 * be what was sent, byte by byte.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "duties.h"

#define PAYLOAD_BYTES	1400
#define TIMEOUT_MS	10000

struct echo {
	struct icmphdr header;
	unsigned char payload[PAYLOAD_BYTES];
};

static uint16_t checksum(const void *data, size_t bytes)
{
	const uint16_t *words = data;
	uint32_t sum = 0;

	for (; bytes > 1; bytes -= 2)
		sum += *words++;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static void fill(struct echo *echo, uint16_t sequence)
{
	unsigned int seed = time(NULL) + sequence;
	size_t i;

	memset(echo, 0, sizeof(*echo));
	echo->header.type = ICMP_ECHO;
	echo->header.un.echo.id = htons(getpid());
	echo->header.un.echo.sequence = htons(sequence);
	for (i = 0; i < PAYLOAD_BYTES; i++)
		echo->payload[i] = rand_r(&seed);
	echo->header.checksum = checksum(echo, sizeof(*echo));
}

/* 1 for our answer, 0 for a packet of somebody else's, -1 if the answer is not what was sent. */
static int judge(const unsigned char *packet, ssize_t bytes, const struct echo *sent)
{
	const struct iphdr *ip = (const struct iphdr *)packet;
	const struct echo *echo = (const struct echo *)(packet + 4 * ip->ihl);

	if (bytes < (ssize_t)(4 * ip->ihl + sizeof(struct icmphdr)))
		return 0;
	if (echo->header.type != ICMP_ECHOREPLY ||
	    echo->header.un.echo.id != sent->header.un.echo.id ||
	    echo->header.un.echo.sequence != sent->header.un.echo.sequence)
		return 0;
	if (bytes != (ssize_t)(4 * ip->ihl + sizeof(*sent)))
		return -1;
	return memcmp(echo->payload, sent->payload, PAYLOAD_BYTES) ? -1 : 1;
}

/* The same as judge() of what arrives in time; 0 if nothing of ours does. */
static int wait_for_answer(int raw, const struct echo *sent)
{
	struct pollfd readable = { .fd = raw, .events = POLLIN };
	unsigned char packet[sizeof(struct echo) + 60];
	struct timespec start, now;
	int left = TIMEOUT_MS, verdict = 0;

	clock_gettime(CLOCK_MONOTONIC, &start);
	while (!verdict && left > 0 && poll(&readable, 1, left) > 0) {
		ssize_t bytes = recv(raw, packet, sizeof(packet), 0);

		if (bytes > 0)
			verdict = judge(packet, bytes, sent);
		clock_gettime(CLOCK_MONOTONIC, &now);
		left = TIMEOUT_MS - 1000 * (now.tv_sec - start.tv_sec);
	}
	return verdict;
}

static int ping_one(int raw, const char *address, uint16_t sequence, char *text, size_t size)
{
	struct sockaddr_in peer = { .sin_family = AF_INET };
	struct echo echo;
	int verdict;

	if (inet_pton(AF_INET, address, &peer.sin_addr) != 1) {
		snprintf(text, size, "%s: not an IPv4 address", address);
		return -1;
	}
	fill(&echo, sequence);
	if (sendto(raw, &echo, sizeof(echo), 0, (struct sockaddr *)&peer, sizeof(peer)) < 0) {
		snprintf(text, size, "ping %s: %s", address, strerror(errno));
		return -1;
	}
	verdict = wait_for_answer(raw, &echo);
	if (verdict == 1)
		return 0;
	snprintf(text, size, "ping %s: %s", address,
		 verdict ? "the answer is not what was sent" : "no answer");
	return -1;
}

int ping(char **words, char *text, size_t size)
{
	int raw = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	uint16_t sequence = 1;
	int failed = 0;

	if (raw < 0) {
		snprintf(text, size, "ping: socket: %s", strerror(errno));
		return -1;
	}
	for (; *words && !failed; words++)
		failed = ping_one(raw, *words, sequence++, text, size);
	close(raw);
	return failed;
}
