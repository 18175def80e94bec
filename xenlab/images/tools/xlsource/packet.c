// SPDX-License-Identifier: GPL-2.0-only
/*
 * AF_PACKET with a virtio_net_hdr: a linear part of any length, the rest in single pages from their
 * beginning (net/packet/af_packet.c, packet_alloc_skb; what is shorter than a page is linear), GSO
 * and checksum as asked for. It goes straight to the driver, and waits where that has no room, or
 * keeps as much as the socket may have under way: a packet is never dropped here.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <linux/virtio_net.h>

#include "xlcompose.h"
#include "xlsource.h"

#define PATIENCE_MS	1	/* between two questions whether the driver has room again */
#define PAUSE_MAX_MS	50	/* the most that it counts as: the machine may have stood still */

static void set(int fd, int name, const char *what)
{
	int on = 1;

	if (setsockopt(fd, SOL_PACKET, name, &on, sizeof(on)))
		die(what);
}

static int open_device(const char *device)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = if_nametoindex(device) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);

	if (fd < 0 || !to.sll_ifindex)
		die(device);
	set(fd, PACKET_VNET_HDR, "PACKET_VNET_HDR");
	set(fd, PACKET_QDISC_BYPASS, "PACKET_QDISC_BYPASS");
	if (bind(fd, (struct sockaddr *)&to, sizeof(to)))
		die("bind");
	return fd;
}

/* What of @patience_ms is left behind a short pause; no driver tells that it has room again. */
static int64_t pause_for(int64_t patience_ms)
{
	int64_t before_ms = now_ms(), took_ms;

	usleep(PATIENCE_MS * 1000);
	took_ms = now_ms() - before_ms;
	return patience_ms - (took_ms < PAUSE_MAX_MS ? took_ms : PAUSE_MAX_MS);
}

/* What of the socket's is under way; as long as it sends nothing, what comes back makes it less. */
static int bytes_out(int fd)
{
	int bytes;

	if (ioctl(fd, SIOCOUTQ, &bytes))
		die("SIOCOUTQ");
	return bytes;
}

/*
 * ENOBUFS is a stopped queue (net/core/dev.c, __dev_direct_xmit), EAGAIN that what was sent before
 * is not back: it will go on. Patience begins anew with all that comes back, room or no room.
 */
static char send_one(int fd, const struct iovec *iov, struct account *a, const struct times *t)
{
	int64_t patience_ms = t->idle_ms;
	int out = -1;

	while (writev(fd, iov, 2) < 0) {
		int error = errno, before = out;
		bool full = error == EAGAIN || error == ENOBUFS;

		if (error == EINTR)
			continue;
		out = bytes_out(fd);
		if (out != before)
			patience_ms = t->idle_ms;
		if (full && patience_ms > 0 && now_ms() < t->deadline_ms) {
			patience_ms = pause_for(patience_ms);
			continue;
		}
		if (full)
			account_give_up(a, t);
		account_error(a, error);
		return REFUSED;
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
	struct times t = { .idle_ms = IDLE_MS, .deadline_ms = now_ms() + 60000 };
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
		if (a.gave_up)
			break;
	}
	account_print(&a, "packet", NULL);
}
