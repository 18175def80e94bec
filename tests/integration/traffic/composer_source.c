// SPDX-License-Identifier: GPL-2.0-only
/* What test_composer_source.py asks of the module's headers; names.h is written by it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "payload.h"
#include "xlcompose.h"

#define NAME(value) printf(#value " %lld\n", (long long)(value))

static void print_names(void)
{
#include "names.h"
}

static void print_pattern(char **words)
{
	__u64 base = xlc_base(strtoull(words[0], NULL, 10), strtoull(words[1], NULL, 10));
	__u32 start = atoi(words[2]), len = atoi(words[3]);
	__u8 bytes[1024];

	xlc_fill(bytes, len, start, base);
	fwrite(bytes, 1, len, stdout);
}

/* Each byte wrong in turn: how often the check named another byte, or a good pattern was bad. */
static int count_misses(__u32 start, __u32 len)
{
	__u64 base = xlc_base(5, 6);
	__u8 bytes[256];
	int misses;
	__u32 i;

	xlc_fill(bytes, len, start, base);
	misses = xlc_check(bytes, len, start, base) != XLC_ALL_WELL;
	for (i = 0; i < len; i++) {
		bytes[i] ^= 0x80;
		misses += xlc_check(bytes, len, start, base) != start + i;
		bytes[i] ^= 0x80;
	}
	return misses;
}

static void print_fields(void)
{
	static __u8 bytes[4096];
	struct xlc_batch *batch = (void *)bytes;
	struct xlc_record *record = (void *)(batch + 1);
	struct xlc_frag *frag = (void *)(record + 2);

	fread(bytes, 1, sizeof(bytes), stdin);
	printf("%u %u %llu %llu %s %u %u %x %u %u %u %u\n", batch->total_bytes,
	       batch->records, batch->seed, batch->first_id, batch->device, batch->mode,
	       batch->burst, batch->queue, batch->drain_ms, batch->stall_ms, batch->headroom,
	       batch->window_kib);
	printf("%02x %02x %u %u %02x %02x %04x\n", batch->flow.mac_to[5],
	       batch->flow.mac_from[5], batch->flow.ip4_from[3], batch->flow.ip4_to[3],
	       batch->flow.ip6_from[15], batch->flow.ip6_to[15],
	       (batch->flow.port_to & 0xff) << 8 | batch->flow.port_to >> 8);
	record++;
	printf("%u %u %u %u %u %u\n", record->linear_bytes, record->linear_offset,
	       record->frags, record->plant, record->repeat, record->plant_offset);
	printf("%u %u %u\n", frag->offset, frag->size[0] | frag->size[1] << 8, frag->order);
}

static void print_arm(void)
{
	struct xlc_arm arm;

	fread(&arm, sizeof(arm), 1, stdin);
	printf("%u %u %llu %llu %u %u %llu %u %u %s\n", arm.op, arm.capacity, arm.seed,
	       arm.first_id, arm.ids, arm.want_packets, arm.want_bytes, arm.idle_ms,
	       arm.timeout_ms, arm.device);
}

int main(int argc, char **argv)
{
	switch (argv[1][0]) {
	case 'n':
		print_names();
		break;
	case 'p':
		print_pattern(argv + 2);
		break;
	case 'c':
		printf("%d\n", count_misses(atoi(argv[2]), atoi(argv[3])));
		break;
	case 'b':
		print_fields();
		break;
	case 'a':
		print_arm();
		break;
	}
	return argc < 2;
}
