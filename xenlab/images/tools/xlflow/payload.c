// SPDX-License-Identifier: GPL-2.0-only
/*
 * The payload: 64-bit words of splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom
 * number generators", OOPSLA 2014), little endian. Word k of datagram i under seed s is
 *
 *	mix(mix(s + (i + 1) * GAMMA) + (k + 1) * GAMMA)
 *
 * so that any byte can be computed alone and no datagram carries a header.
 */
#include <endian.h>
#include <string.h>

#include "xlflow.h"

#define GAMMA	0x9e3779b97f4a7c15ULL

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

void payload_fill(uint8_t *to, size_t len, uint64_t seed, uint64_t index, uint64_t offset)
{
	uint64_t key = mix(seed + (index + 1) * GAMMA);

	while (len) {
		uint64_t word = htole64(mix(key + (offset / 8 + 1) * GAMMA));
		size_t skip = offset % 8;
		size_t n = 8 - skip < len ? 8 - skip : len;

		memcpy(to, (uint8_t *)&word + skip, n);
		to += n;
		offset += n;
		len -= n;
	}
}
