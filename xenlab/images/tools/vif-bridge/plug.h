/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIF_BRIDGE_PLUG_H
#define VIF_BRIDGE_PLUG_H

#include <xenstore.h>

/*
 * Plugs a vif as its keys below the path `backend` say. 0 once xenstore has it; -1 when it failed,
 * and then the reason is in xenstore and on standard error.
 */
int plug_vif(struct xs_handle *store, const char *backend, const char *vif);

#endif
