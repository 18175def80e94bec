// SPDX-License-Identifier: GPL-2.0-only
/*
 * UDP with MSG_ZEROCOPY: one sendmsg is one skb of the headers alone, and of one frag for each
 * element of the iovec (net/core/datagram.c, __zerocopy_sg_from_iter). Each frag lies in a block of
 * its own, so that no two are joined. The kernel says of each packet whether it was copied on its
 * way (SO_EE_CODE_ZEROCOPY_COPIED): for a vif, whether netfront linearised it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <linux/errqueue.h>

#include "xlcompose.h"
#include "xlsource.h"

static const uint32_t header_bytes[] = { [XLC_UDP4] = 42, [XLC_UDP6] = 62 };

static void set(int fd, int level, int name, int value, const char *what)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)))
		die(what);
}

/* No fragments: what is longer than the MTU is refused. */
static int open_socket(const struct flow *f)
{
	int fd = socket(f->addr.sa.sa_family, SOCK_DGRAM, 0);

	if (fd < 0)
		die("socket");
	if (f->addr.sa.sa_family == AF_INET)
		set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO, "IP_MTU_DISCOVER");
	else
		set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO, "IPV6_MTU_DISCOVER");
	set(fd, SOL_SOCKET, SO_ZEROCOPY, 1, "SO_ZEROCOPY");
	set(fd, SOL_SOCKET, SO_SNDBUFFORCE, 4 << 20, "SO_SNDBUFFORCE");
	if (connect(fd, &f->addr.sa, f->addr_len))
		die("connect");
	return fd;
}

static void require(const struct flow *f, const struct layout *layouts, size_t count)
{
	int protocol = f->addr.sa.sa_family == AF_INET ? XLC_UDP4 : XLC_UDP6;

	if (f->tcp || f->count != count)
		usage();
	for (size_t i = 0; i < count; i++) {
		const struct layout *l = &layouts[i];

		if (l->protocol == protocol && l->linear == header_bytes[protocol] && !l->gso &&
		    layout_length(l) - l->linear == f->sizes[i])
			continue;
		fprintf(stderr, "xlsource: layout %zu is none of MSG_ZEROCOPY, or of its flow\n",
			i);
		usage();
	}
}

static void take_blocks(struct blocks *b, const struct layout *layouts, size_t count)
{
	unsigned int most[ORDER_MAX + 1] = { 0 };

	for (size_t i = 0; i < count; i++) {
		unsigned int of[ORDER_MAX + 1] = { 0 };

		for (unsigned int j = 0; j < layouts[i].count; j++)
			of[layouts[i].frags[j].order]++;
		for (int order = 0; order <= ORDER_MAX; order++)
			most[order] = of[order] > most[order] ? of[order] : most[order];
	}
	for (int order = 0; order <= ORDER_MAX; order++) {
		if (!blocks_take(b, order, most[order]))
			die("PACKET_RX_RING");
	}
}

/* The payload of datagram @index, laid out in blocks; returns the elements of @iov. */
static size_t lay_out(struct iovec *iov, const struct blocks *b, const struct layout *l,
		      uint64_t seed, uint64_t index)
{
	unsigned int of[ORDER_MAX + 1] = { 0 };
	uint64_t at = 0;

	for (unsigned int i = 0; i < l->count; i++) {
		const struct frag *f = &l->frags[i];
		uint8_t *block = block_at(b, f->order, of[f->order]++);

		iov[i] = (struct iovec){ .iov_base = block + f->offset, .iov_len = f->size };
		payload_fill(block + f->offset, f->size, seed, index, at);
		at += f->size;
	}
	return l->count;
}

/* An error that nobody takes keeps poll() from waiting. */
static void take_error(int fd, struct account *a)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len))
		die("SO_ERROR");
	if (error)
		account_error(a, error);
}

/* What came back of packet @id, 0 if that was something else. */
static char read_completion(int fd, uint32_t id, struct account *a)
{
	char control[256];
	struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };

	if (recvmsg(fd, &msg, MSG_ERRQUEUE) < 0) {
		if (errno != EAGAIN && errno != EINTR)
			die("MSG_ERRQUEUE");
		take_error(fd, a);
		return 0;
	}
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		struct sock_extended_err ee;

		memcpy(&ee, CMSG_DATA(c), sizeof(ee));
		if (ee.ee_origin != SO_EE_ORIGIN_ZEROCOPY)
			account_error(a, ee.ee_errno);
		else if (ee.ee_info <= id && id <= ee.ee_data)
			return ee.ee_code & SO_EE_CODE_ZEROCOPY_COPIED ? COPIED : GRANTED;
	}
	return 0;
}

static char await_completion(int fd, uint32_t id, struct account *a, const struct times *t)
{
	char letter = 0;

	while (!letter) {
		if (now_ms() >= t->deadline_ms || !wait_for(fd, 0, t->idle_ms, t)) {
			account_give_up(a, t);
			return UNKNOWN;
		}
		letter = read_completion(fd, id, a);
	}
	return letter;
}

static void send_all(int fd, const struct flow *f, const struct layout *layouts,
		     const struct times *t)
{
	struct blocks b = { 0 };
	struct account a;
	uint32_t id = 0;

	account_open(&a, f->count);
	take_blocks(&b, layouts, f->count);
	for (size_t i = 0; i < f->count; i++) {
		struct iovec iov[FRAGS_MAX];
		struct msghdr msg = { .msg_iov = iov };
		char letter = REFUSED;

		msg.msg_iovlen = lay_out(iov, &b, &layouts[i], f->seed, i);
		if (sendmsg(fd, &msg, MSG_ZEROCOPY) < 0)
			account_error(&a, errno);
		else
			letter = await_completion(fd, id++, &a, t);
		account_add(&a, letter, f->sizes[i]);
		/* its pages are not ours to write to as long as they are under way */
		if (letter == UNKNOWN)
			break;
	}
	account_print(&a, "udp", &b);
}

void zerocopy(int argc, char **argv)
{
	struct times t = { .idle_ms = IDLE_MS, .deadline_ms = now_ms() + 60000 };
	struct layout *layouts;
	struct flow f;
	size_t count;
	int at = sender_parse(NULL, argc, argv, &t);

	if (argc - at != 1)
		usage();
	flow_parse(&f, 0, argv[at]);
	count = layouts_read(&layouts);
	require(&f, layouts, count);
	send_all(open_socket(&f), &f, layouts, &t);
}
