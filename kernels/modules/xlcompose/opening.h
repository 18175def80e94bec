/* SPDX-License-Identifier: GPL-2.0-only */
/* xlcompose: the headers of an arrived packet, in one piece. */
#ifndef XLCOMPOSE_OPENING_H
#define XLCOMPOSE_OPENING_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include "internal.h"

/* The start of a packet, from the IP header on, wherever its pieces were. */
struct xlc_opening {
	u8 bytes[XLC_HEADERS_MAX - ETH_HLEN] __aligned(4);
	const struct xlc_shape *shape;
	const u8 *l4;
	u8 protocol;
};

static inline const struct iphdr *xlc_ip4(const struct xlc_opening *opening)
{
	return (const struct iphdr *)opening->bytes;
}

static inline const struct ipv6hdr *xlc_ip6(const struct xlc_opening *opening)
{
	return (const struct ipv6hdr *)opening->bytes;
}

static inline const struct tcphdr *xlc_tcp(const struct xlc_opening *opening)
{
	return (const struct tcphdr *)opening->l4;
}

static inline const struct udphdr *xlc_udp(const struct xlc_opening *opening)
{
	return (const struct udphdr *)opening->l4;
}

static inline bool xlc_is_tcp(const struct xlc_opening *opening)
{
	return opening->shape->ipproto == IPPROTO_TCP;
}

static inline bool xlc_is_ip4(const struct xlc_opening *opening)
{
	return opening->shape->ethertype == cpu_to_be16(ETH_P_IP);
}

bool xlc_read_opening(const struct sk_buff *skb, const struct xlc_flow *flow,
		      struct xlc_opening *opening);
u16 xlc_inspect_opening(const struct sk_buff *skb, const struct xlc_opening *opening,
			const struct xlc_flow *flow);

#endif
