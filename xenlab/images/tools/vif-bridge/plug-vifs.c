// SPDX-License-Identifier: GPL-2.0-only
/*
 * plug-vifs: in a driver domain, plugs each vif that comes into its bridge, and takes what a vif
 * that went has left in xenstore.
 *
 * xl in dom0 runs no hotplug program for the vifs of another backend, and when it removes one it
 * waits until their backend has removed its part of xenstore (tools/libs/light/libxl_device.c,
 * device_hotplug). Xen's own answer is "xl devd", for which the whole toolstack would have to be
 * here. The kernel tells of vifs by uevents: netback of one that is to be plugged by "online", the
 * bus of one that has gone by "remove".
 */
#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <xenstore.h>

#include "names.h"
#include "plug.h"

#define KERNEL_EVENTS	1	/* the multicast group of the kernel's own uevents */
#define EVENT_BYTES	8192
#define QUEUE_BYTES	(1 << 20)

static int listen_to_kernel(void)
{
	struct sockaddr_nl group = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_EVENTS };
	int events = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	int bytes = QUEUE_BYTES;

	if (events < 0)
		return -1;
	setsockopt(events, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	return bind(events, (struct sockaddr *)&group, sizeof(group)) ? -1 : events;
}

/* The value of a variable in an event of that size, which is strings one after another. */
static const char *find_value(const char *event, size_t size, const char *name)
{
	size_t length = strlen(name);
	const char *at;

	for (at = event; at < event + size; at += strlen(at) + 1)
		if (!strncmp(at, name, length) && at[length] == '=')
			return at + length + 1;
	return NULL;
}

static int is(const char *value, const char *wanted)
{
	return value && !strcmp(value, wanted);
}

static void attend(struct xs_handle *store, const char *event, size_t size)
{
	const char *action = find_value(event, size, "ACTION");
	const char *backend = find_value(event, size, "XENBUS_PATH");
	const char *vif = find_value(event, size, "vif");

	if (!is(find_value(event, size, "SUBSYSTEM"), "xen-backend") || !backend)
		return;
	if (is(action, "online") && vif)
		plug_vif(store, backend, vif);
	if (is(action, "remove") && !xs_rm(store, XBT_NULL, backend) && errno != ENOENT)
		fprintf(stderr, "plug-vifs: cannot remove %s: %s\n", backend, strerror(errno));
}

int plug_vifs(void)
{
	struct xs_handle *store = xs_open(0);
	int events = listen_to_kernel();
	static char event[EVENT_BYTES];

	setlinebuf(stderr);
	if (!store || events < 0) {
		perror(store ? "plug-vifs: netlink" : "plug-vifs: xenstore");
		return 1;
	}
	/* One process: whoever waits for us must not wait for what we attend to. */
	if (daemon(1, 1))
		return 1;
	while (1) {
		ssize_t got = recv(events, event, sizeof(event) - 1, 0);

		if (got < 0) {
			perror("plug-vifs: an event is lost");
			if (errno != ENOBUFS)
				return 1;
			continue;
		}
		event[got] = 0;
		attend(store, event, got);
	}
}
