// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tap device with IFF_NAPI_FRAGS: frames come into the stack as out of a network card's pages,
 * and are forwarded, routed out of whatever device leads to their address or through a bridge. The
 * linear part is as long as asked for, each frag as long and at most a page; where they lie in
 * compound pages of order 3 the stack decides (drivers/net/tun.c, tun_napi_alloc_frags). The device
 * and all that was set on it is gone when the program ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <linux/virtio_net.h>

#include "xlsource.h"

#define TUN_FILE	"/dev/net/tun"

static int open_tap(struct ifreq *request, const char *name)
{
	int fd = open(TUN_FILE, O_RDWR);

	if (fd < 0)
		die(TUN_FILE);
	*request = (struct ifreq){ .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_NAPI |
						IFF_NAPI_FRAGS };
	strncpy(request->ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(fd, TUNSETIFF, request))
		die("TUNSETIFF");
	return fd;
}

static void ask(int fd, unsigned long what, struct ifreq *request, const char *name)
{
	if (ioctl(fd, what, request))
		die(name);
}

/* What comes in by the device is forwarded; nobody else's packets are. */
static void forward(const char *device)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/forwarding", device);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "1", 1) != 1)
		die(path);
	close(fd);
}

static void join(int fd, const char *bridge, const char *device)
{
	struct ifreq request = { .ifr_ifindex = if_nametoindex(device) };

	strncpy(request.ifr_name, bridge, IFNAMSIZ - 1);
	ask(fd, SIOCBRADDIF, &request, "SIOCBRADDIF");
}

/* Whether the bridge forwards what comes in by the device. */
static bool forwards(const char *device)
{
	char path[128], state = 0;
	int fd;

	snprintf(path, sizeof(path), "/sys/class/net/%s/brport/state", device);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, &state, 1) != 1)
		die(path);
	close(fd);
	return state == '3'; /* BR_STATE_FORWARDING */
}

/* Before that the bridge takes its frames and loses them. */
static void await_forwarding(const struct sender *s, const struct times *t)
{
	while (s->bridge && !forwards(s->device)) {
		if (now_ms() >= t->deadline_ms) {
			errno = ETIMEDOUT;
			die(s->bridge);
		}
		usleep(1000);
	}
}

/*
 * In a bridge the device has the address that all ends of vifs have, for the least one of them all
 * is the bridge's. A router takes what is sent to the device itself.
 */
static void set_up(struct sender *s)
{
	struct ifreq request = { .ifr_name = "" };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	static const uint8_t last[] = { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff };

	if (fd < 0)
		die("socket");
	strncpy(request.ifr_name, s->device, IFNAMSIZ - 1);
	ask(fd, SIOCGIFHWADDR, &request, "SIOCGIFHWADDR");
	if (s->bridge) {
		memcpy(request.ifr_hwaddr.sa_data, last, sizeof(last));
		ask(fd, SIOCSIFHWADDR, &request, "SIOCSIFHWADDR");
		join(fd, s->bridge, s->device);
	} else {
		memcpy(s->mac_to, request.ifr_hwaddr.sa_data, sizeof(s->mac_to));
		forward(s->device);
	}
	ask(fd, SIOCGIFFLAGS, &request, "SIOCGIFFLAGS");
	request.ifr_flags |= IFF_UP;
	ask(fd, SIOCSIFFLAGS, &request, "SIOCSIFFLAGS");
	close(fd);
}

/* The elements of a write: the header, the linear part, the frags; returns how many. */
static int cut(struct iovec *iov, struct virtio_net_hdr *net, uint8_t *frame,
	       const struct layout *l)
{
	iov[0] = (struct iovec){ net, sizeof(*net) };
	iov[1] = (struct iovec){ frame, l->linear };
	frame += l->linear;
	for (unsigned int i = 0; i < l->count; i++) {
		iov[2 + i] = (struct iovec){ frame, l->frags[i].size };
		frame += l->frags[i].size;
	}
	return 2 + l->count;
}

void tap(int argc, char **argv)
{
	static uint8_t frame[FRAME_MAX];
	struct times t = { .deadline_ms = now_ms() + 60000 };
	struct sender s = { 0 };
	struct ifreq request;
	struct layout *layouts;
	struct account a;
	size_t count;
	int fd;

	if (sender_parse(&s, argc, argv, &t) != argc || !s.device)
		usage();
	count = layouts_read(&layouts);
	account_open(&a, count);
	fd = open_tap(&request, s.device);
	set_up(&s);
	await_forwarding(&s, &t);
	for (size_t i = 0; i < count; i++) {
		struct iovec iov[2 + FRAGS_MAX];
		struct virtio_net_hdr net;
		uint32_t length = frame_build(frame, &net, &s, &layouts[i], i);
		int parts = cut(iov, &net, frame, &layouts[i]);
		bool taken = writev(fd, iov, parts) >= 0;

		if (!taken)
			account_error(&a, errno);
		account_add(&a, taken ? TAKEN : REFUSED, length);
	}
	account_print(&a, "tap", NULL);
	close(fd);
}
