// SPDX-License-Identifier: GPL-2.0-only
/* The module's batch.c in userspace: what it says of a batch on standard input. */
#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <linux/if_ether.h>
#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;

struct sk_buff;

struct list_head {
	struct list_head *next, *prev;
};

#define __printf(at, first) __attribute__((format(printf, at, first)))
#define le16_to_cpu le16toh
#define le32_to_cpu le32toh
#define PAGE_SIZE 4096UL
#define MAX_SKB_FRAGS 17

#include "batch.c"

const struct xlc_shape xlc_shapes[XLC_PROTOCOLS];

int xlc_refuse(int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	return error;
}

int main(void)
{
	static __u64 words[XLC_BATCH_BYTES_MAX / sizeof(__u64)];
	u32 packets;

	if (!fread(words, 1, sizeof(words), stdin))
		return 1;
	if (!xlc_check_header((const struct xlc_batch *)words) && !xlc_check_batch(words, &packets))
		printf("%u packets", packets);
	return 0;
}
