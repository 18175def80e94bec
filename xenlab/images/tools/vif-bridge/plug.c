// SPDX-License-Identifier: GPL-2.0-only
/* A vif plugged: its MTU, onto its bridge, up, and said so in xenstore. */
#include <errno.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "plug.h"

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

int plug_vif(struct xs_handle *store, const char *backend, const char *vif)
{
	const char *step;
	char reason[256];

	if (!plug(store, backend, vif, &step))
		return write_key(store, backend, "hotplug-status", "connected");
	snprintf(reason, sizeof(reason), "%s: cannot %s: %s", vif, step, strerror(errno));
	fprintf(stderr, "vif-bridge: %s\n", reason);
	write_key(store, backend, "hotplug-error", reason);
	write_key(store, backend, "hotplug-status", "error");
	return -1;
}
