// SPDX-License-Identifier: GPL-2.0-only
/*
 * vif-bridge: xl's hotplug program for a vif: its MTU, onto its bridge, up, and said so in xenstore
 * (else xl waits 10 s). See docs/misc/vif-bridge and xl-network-configuration(5) of Xen.
 *
 * One static program, where Xen's script starts a dozen: each costs an emulated CPU 0.1 s and more.
 * Called await-vifs it waits for what others plugged, see await-vifs.c.
 * xl gives the device in $vif, the backend's place in xenstore in $XENBUS_PATH, and "online", "add",
 * "offline" or "remove" as the argument; a bridge lets go of a device that vanishes by itself.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <xenstore.h>

#include "names.h"

static char *read_key(struct xs_handle *store, const char *backend, const char *key)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", backend, key);
	return xs_read(store, XBT_NULL, path, NULL);
}

static int write_key(struct xs_handle *store, const char *backend, const char *key,
		     const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", backend, key);
	return xs_write(store, XBT_NULL, path, value, strlen(value)) ? 0 : -1;
}

static int set_mtu(int control, const char *vif, const char *mtu)
{
	struct ifreq request = { .ifr_mtu = atoi(mtu) };

	strncpy(request.ifr_name, vif, IFNAMSIZ - 1);
	return ioctl(control, SIOCSIFMTU, &request);
}

static int join(int control, const char *vif, const char *bridge)
{
	struct ifreq request = { .ifr_ifindex = if_nametoindex(vif) };

	strncpy(request.ifr_name, bridge, IFNAMSIZ - 1);
	return ioctl(control, SIOCBRADDIF, &request);
}

static int bring_up(int control, const char *vif)
{
	struct ifreq request = { .ifr_flags = 0 };

	strncpy(request.ifr_name, vif, IFNAMSIZ - 1);
	if (ioctl(control, SIOCGIFFLAGS, &request))
		return -1;
	request.ifr_flags |= IFF_UP;
	return ioctl(control, SIOCSIFFLAGS, &request);
}

/* 0, or -1 with errno; `step` is what was tried last. */
static int plug(struct xs_handle *store, const char *backend, const char *vif, const char **step)
{
	char *bridge = read_key(store, backend, "bridge"), *mtu = read_key(store, backend, "mtu");
	int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	*step = "find the bridge";
	if (!bridge)
		return -1;
	*step = "set the MTU";
	if (mtu && set_mtu(control, vif, mtu))
		return -1;
	*step = "join the bridge";
	if (join(control, vif, bridge))
		return -1;
	*step = "bring it up";
	return bring_up(control, vif);
}

int main(int argc, char **argv)
{
	const char *vif = getenv("vif"), *backend = getenv("XENBUS_PATH"), *step;
	struct xs_handle *store;
	char reason[256];

	if (!strcmp(basename(argv[0]), "await-vifs"))
		return await_vifs(argc, argv);
	if (argc < 2 || !vif || !backend) {
		fprintf(stderr, "usage: vif=DEVICE XENBUS_PATH=PATH vif-bridge online|offline\n");
		return 2;
	}
	if (strcmp(argv[1], "online") && strcmp(argv[1], "add"))
		return 0;
	store = xs_open(0);
	if (!store) {
		perror("vif-bridge: xenstore");
		return 1;
	}
	if (!plug(store, backend, vif, &step))
		return write_key(store, backend, "hotplug-status", "connected") ? 1 : 0;
	snprintf(reason, sizeof(reason), "%s: cannot %s: %s", vif, step, strerror(errno));
	fprintf(stderr, "vif-bridge: %s\n", reason);
	write_key(store, backend, "hotplug-error", reason);
	write_key(store, backend, "hotplug-status", "error");
	return 1;
}
