/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The payload of a packet: a function of (seed, id, byte index) and nothing else.
 *
 * Word i is base + i * step modulo 2**64, little endian, where base is a mixture of seed and id.
 * That is no good random number, and need not be: words of one packet are all different, and a
 * byte moved, lost or of another packet is seen. It costs one addition for eight bytes, which
 * counts where the processor is emulated. Also compiled in userspace, to be compared with Python.
 */
#ifndef XLCOMPOSE_PAYLOAD_H
#define XLCOMPOSE_PAYLOAD_H

#include <linux/types.h>
#ifdef __KERNEL__
#include <linux/string.h>
#else
#include <string.h>
#endif

#define XLC_STEP	0x9e3779b97f4a7c15ULL
#define XLC_ALL_WELL	0xffffffffU

/* The finaliser of splitmix64 (Vigna), over the seed and a multiple of the id. */
static inline __u64 xlc_base(__u64 seed, __u64 id)
{
	__u64 z = seed + (id + 1) * XLC_STEP;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static inline __u64 xlc_word(__u64 base, __u32 index)
{
	return base + index * XLC_STEP;
}

static inline __u8 xlc_byte(__u64 base, __u32 start)
{
	return xlc_word(base, start >> 3) >> (8 * (start & 7));
}

static inline void xlc_store(__u8 *to, __u64 word)
{
	memcpy(to, &word, sizeof(word));
}

static inline __u64 xlc_load(const __u8 *from)
{
	__u64 word;

	memcpy(&word, from, sizeof(word));
	return word;
}

/* Write the payload's bytes start .. start + len - 1 to `to`. Little endian machines only. */
static inline void xlc_fill(__u8 *to, __u32 len, __u32 start, __u64 base)
{
	__u64 word;

	for (; len && (start & 7); len--, start++)
		*to++ = xlc_byte(base, start);
	word = xlc_word(base, start >> 3);
	for (; len >= 32; len -= 32, start += 32, to += 32) {
		xlc_store(to, word);
		xlc_store(to + 8, word + XLC_STEP);
		xlc_store(to + 16, word + 2 * XLC_STEP);
		xlc_store(to + 24, word + 3 * XLC_STEP);
		word += 4 * XLC_STEP;
	}
	for (; len >= 8; len -= 8, start += 8, to += 8) {
		xlc_store(to, word);
		word += XLC_STEP;
	}
	for (; len; len--, start++)
		*to++ = xlc_byte(base, start);
}

/* Offset in the payload of the first byte that is not as it should be, or XLC_ALL_WELL. */
static inline __u32 xlc_check_bytes(const __u8 *from, __u32 len, __u32 start, __u64 base)
{
	for (; len; len--, start++)
		if (*from++ != xlc_byte(base, start))
			return start;
	return XLC_ALL_WELL;
}

static inline __u32 xlc_check(const __u8 *from, __u32 len, __u32 start, __u64 base)
{
	__u32 odd = -start & 7;
	__u64 word, wrong;
	__u32 bad;

	if (odd > len)
		odd = len;
	bad = xlc_check_bytes(from, odd, start, base);
	if (bad != XLC_ALL_WELL)
		return bad;
	from += odd;
	len -= odd;
	start += odd;
	word = xlc_word(base, start >> 3);
	for (; len >= 64; len -= 64, start += 64, from += 64) {
		wrong = xlc_load(from) ^ word;
		wrong |= xlc_load(from + 8) ^ (word + XLC_STEP);
		wrong |= xlc_load(from + 16) ^ (word + 2 * XLC_STEP);
		wrong |= xlc_load(from + 24) ^ (word + 3 * XLC_STEP);
		wrong |= xlc_load(from + 32) ^ (word + 4 * XLC_STEP);
		wrong |= xlc_load(from + 40) ^ (word + 5 * XLC_STEP);
		wrong |= xlc_load(from + 48) ^ (word + 6 * XLC_STEP);
		wrong |= xlc_load(from + 56) ^ (word + 7 * XLC_STEP);
		if (wrong)
			break;
		word += 8 * XLC_STEP;
	}
	for (; len >= 8 && xlc_load(from) == word; len -= 8, start += 8, from += 8)
		word += XLC_STEP;
	return xlc_check_bytes(from, len, start, base);
}

#endif
