/* SPDX-License-Identifier: GPL-2.0-only */
/* One static program with three names, for each brings the whole C library along. */
#ifndef VIF_BRIDGE_NAMES_H
#define VIF_BRIDGE_NAMES_H

int await_vifs(int argc, char **argv);
int plug_vifs(void);

#endif
