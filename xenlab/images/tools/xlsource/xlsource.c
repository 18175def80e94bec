// SPDX-License-Identifier: GPL-2.0-only
/*
 * xlsource: sends packets that lie in memory as senders in userspace can make them lie.
 *
 *	xlsource zerocopy [--timeout-ms N] [--idle-ms N] udp@ADDRESS@PORT@SEED@SIZES	<LAYOUTS
 *	xlsource packet --device D [--idle-ms N] SENDER				<LAYOUTS
 *	xlsource tap --device D [--bridge B] SENDER				<LAYOUTS
 *	xlsource sendfile|splice [--timeout-ms N] tcp@ADDRESS@PORT@SEED@SIZES
 *	xlsource interleave [--timeout-ms N] tcp@ADDRESS@PORT@SEED@SIZES...
 *
 * SENDER is --seed N --first-id N --mac FROM,TO --ip4 FROM,TO --ip6 FROM,TO --ports FROM,TO
 * [--timeout-ms N]. A driver that gives nothing back, or has no room, for as long as --idle-ms says
 * is waited for no longer. Layouts are the text of xenlab/slots/layout.py, one a line; each source
 * says which of them it can make, and refuses the others. The sink of a flow is `xlflow recv`, that
 * of frames /dev/xlreceive. Each run prints one JSON object in one line. Status: 0 ran to its end
 * (whatever became of the packets), 1 the system refused something, 2 usage.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xlsource.h"

static const struct {
	const char *name;
	void (*run)(int argc, char **argv);
} verbs[] = {
	{ "zerocopy", zerocopy },
	{ "packet", packet },
	{ "tap", tap },
	{ "sendfile", from_sendfile },
	{ "splice", from_splice },
	{ "interleave", interleave },
};

void usage(void)
{
	fputs("usage: xlsource zerocopy [--timeout-ms N] [--idle-ms N] udp@address@port@seed@sizes"
	      " <layouts\n"
	      "       xlsource packet|tap --device D [--bridge B] [--idle-ms N] --seed N --first-id N"
	      " --mac FROM,TO --ip4 FROM,TO --ip6 FROM,TO --ports FROM,TO [--timeout-ms N]"
	      " <layouts\n"
	      "       xlsource sendfile|splice|interleave [--timeout-ms N]"
	      " tcp@address@port@seed@sizes...\n", stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(verbs) / sizeof(*verbs); i++) {
		if (strcmp(argv[1], verbs[i].name))
			continue;
		verbs[i].run(argc - 1, argv + 1);
		return fflush(stdout) || ferror(stdout);
	}
	usage();
}
