// SPDX-License-Identifier: GPL-2.0-only
/*
 * vif-bridge: xl's hotplug program for a vif: its MTU, onto its bridge, up, and said so in xenstore
 * (else xl waits 10 s). See docs/misc/vif-bridge and xl-network-configuration(5) of Xen.
 *
 * One static program, where Xen's script starts a dozen: each costs an emulated CPU 0.1 s and more.
 * Called await-vifs it waits for what others plugged, see await-vifs.c; called plug-vifs it takes
 * xl's place where there is none, see plug-vifs.c.
 * xl gives the device in $vif, the backend's place in xenstore in $XENBUS_PATH, and "online",
 * "add", "offline" or "remove" as the argument; of what vanishes a bridge lets go by itself.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xenstore.h>

#include "names.h"
#include "plug.h"

int main(int argc, char **argv)
{
	const char *vif = getenv("vif"), *backend = getenv("XENBUS_PATH");
	struct xs_handle *store;

	if (!strcmp(basename(argv[0]), "await-vifs"))
		return await_vifs(argc, argv);
	if (!strcmp(basename(argv[0]), "plug-vifs"))
		return plug_vifs();
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
	return plug_vif(store, backend, vif) ? 1 : 0;
}
