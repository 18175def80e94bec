// SPDX-License-Identifier: GPL-2.0-only
/*
 * AF_PACKET with a virtio_net_hdr: a linear part of any length, the rest in single pages from their
 * beginning (net/packet/af_packet.c, packet_alloc_skb; what is shorter than a page is linear), GSO
 * and checksum as asked for. It goes straight to the driver, and waits where that has no room: a
 * packet is never dropped here.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>

#include "xlcompose.h"
#include "xlsource.h"

#define PATIENCE_MS	1	/* between two questions whether the driver has room again */

static void set(int fd, int name, const char *what)
{
	int on = 1;

	if (setsockopt(fd, SOL_PACKET, name, &on, sizeof(on)))
		die(what);
}

static int open_device(const char *device)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = if_nametoindex(device) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd < 0 || !to.sll_ifindex)
		die(device);
	set(fd, PACKET_VNET_HDR, "PACKET_VNET_HDR");
	set(fd, PACKET_QDISC_BYPASS, "PACKET_QDISC_BYPASS");
	if (bind(fd, (struct sockaddr *)&to, sizeof(to)))
		die("bind");
	return fd;
}

/* ENOBUFS is a stopped queue (net/core/dev.c, __dev_direct_xmit): it will go on. */
static char send_one(int fd, const struct iovec *iov, struct account *a, const struct times *t)
{
	while (writev(fd, iov, 2) < 0) {
		if (errno != EINTR && errno != ENOBUFS && errno != EAGAIN) {
			account_error(a, errno);
			return REFUSED;
		}
		if (now_ms() >= t->deadline_ms) {
			account_error(a, ETIMEDOUT);
			return REFUSED;
		}
		usleep(PATIENCE_MS * 1000);
	}
	return TAKEN;
}

static void require(const struct layout *l, size_t index)
{
	if (l->linear >= frame_header_bytes(l) && (!l->gso || l->protocol == XLC_TCP4 ||
						   l->protocol == XLC_TCP6))
		return;
	fprintf(stderr, "xlsource: layout %zu: headers in the head, GSO for TCP\n", index);
	usage();
}

void packet(int argc, char **argv)
{
	static uint8_t frame[FRAME_MAX];
	struct times t = { .deadline_ms = now_ms() + 60000 };
	struct sender s = { 0 };
	struct layout *layouts;
	struct account a;
	size_t count;
	int fd;

	if (sender_parse(&s, argc, argv, &t) != argc || !s.device)
		usage();
	count = layouts_read(&layouts);
	account_open(&a, count);
	fd = open_device(s.device);
	for (size_t i = 0; i < count; i++) {
		struct virtio_net_hdr net;
		struct iovec iov[] = { { &net, sizeof(net) }, { frame, 0 } };

		require(&layouts[i], i);
		iov[1].iov_len = frame_build(frame, &net, &s, &layouts[i], i);
		account_add(&a, send_one(fd, iov, &a, &t), iov[1].iov_len);
	}
	account_print(&a, "packet", NULL);
}
