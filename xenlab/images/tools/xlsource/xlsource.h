/* SPDX-License-Identifier: GPL-2.0-only */
/* xlsource: sends packets that lie in memory as senders in userspace can make them lie. */
#ifndef XLSOURCE_H
#define XLSOURCE_H

#include "xlflow.h"

/* MAX_SKB_FRAGS of every kernel of a distribution; CONFIG_MAX_SKB_FRAGS allows for more. */
#define FRAGS_MAX	17
#define PAGE_BYTES	4096
#define ORDER_MAX	10
#define LAYOUTS_MAX	65536
#define FRAME_MAX	65549	/* an IPv4 packet of 65535 bytes, and Ethernet */

struct frag {
	uint32_t order, offset, size;
};

/* One line of the text form of xenlab/slots/layout.py; numbers are XLC_* of xlcompose.h. */
struct layout {
	uint32_t linear, offset, gso;
	int protocol, checksum;
	unsigned int count;
	struct frag frags[FRAGS_MAX];
};

/* All layouts on standard input; ends the program with status 2 for a line that is none. */
size_t layouts_read(struct layout **layouts);
uint32_t layout_length(const struct layout *l);

/* Blocks of memory, each one compound page of an order; see blocks.c. */
struct blocks {
	uint8_t *rings[ORDER_MAX + 1];
	unsigned int count[ORDER_MAX + 1];
	unsigned int total, compound;
};

/* False, and errno, where there is no memory for them. */
bool blocks_take(struct blocks *b, unsigned int order, unsigned int count);
uint8_t *block_at(const struct blocks *b, unsigned int order, unsigned int index);

/* Whose packets these are, as in struct xlc_flow, and what of them is to be told apart. */
struct sender {
	const char *device, *bridge;
	uint64_t seed, first_id;
	uint8_t mac_from[6], mac_to[6];
	struct in_addr ip4_from, ip4_to;
	struct in6_addr ip6_from, ip6_to;
	uint16_t port_from, port_to;
};

/* How long a driver may keep all that it was given, or take nothing, where no option says it. */
#define IDLE_MS		5000

/* The options of a sender; returns where the first word behind them is. */
int sender_parse(struct sender *s, int argc, char **argv, struct times *t);

struct virtio_net_hdr;

/* The bytes of packet @index of layout @l, and what virtio_net_hdr says of them. */
uint32_t frame_build(uint8_t *to, struct virtio_net_hdr *net, const struct sender *s,
		     const struct layout *l, uint64_t index);
uint32_t frame_header_bytes(const struct layout *l);

/* What became of packets at their sender: a letter for each, and the errors by name. */
#define GRANTED		'g'	/* came back without having been copied */
#define COPIED		'c'	/* came back, and was copied on its way */
#define REFUSED		'r'	/* never taken */
#define UNKNOWN		'u'	/* taken, and not back in time */
#define TAKEN		't'	/* taken by the device; nothing more can be known */

struct account {
	char *letters;
	const char *gave_up;	/* why; NULL where it did not */
	size_t count, sent;
	uint64_t bytes;
	unsigned int errors[256];
};

void account_open(struct account *a, size_t count);
void account_add(struct account *a, char letter, uint32_t bytes);
void account_error(struct account *a, int error);
/*
 * Nothing more is sent: for a whole patience nothing came back, which is "idle", or the whole time
 * was up before that, which is "timeout" and says nothing about the driver.
 */
void account_give_up(struct account *a, const struct times *t);
void account_print(const struct account *a, const char *proto, const struct blocks *b);

/* The verbs; @argv begins with the verb. */
void zerocopy(int argc, char **argv);
void packet(int argc, char **argv);
void tap(int argc, char **argv);
void from_sendfile(int argc, char **argv);
void from_splice(int argc, char **argv);
void interleave(int argc, char **argv);

/* Words of the command line. */
void usage(void) __attribute__((noreturn));
uint64_t word_number(const char *text, uint64_t max);

#endif
