// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whole frames, as kernels/modules/xlcompose writes and inspects them: headers with the low bits of
 * the packet's id, mark, pattern.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <string.h>
#include <linux/virtio_net.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

#include "pattern.h"
#include "xlcompose.h"
#include "xlsource.h"

#define TTL		64
#define ETH_BYTES	14

static bool is_ip4(const struct layout *l)
{
	return l->protocol == XLC_UDP4 || l->protocol == XLC_TCP4;
}

static bool is_tcp(const struct layout *l)
{
	return l->protocol == XLC_TCP4 || l->protocol == XLC_TCP6;
}

static uint32_t l4_offset(const struct layout *l)
{
	return ETH_BYTES + (is_ip4(l) ? sizeof(struct iphdr) : sizeof(struct ip6_hdr));
}

uint32_t frame_header_bytes(const struct layout *l)
{
	return l4_offset(l) + (is_tcp(l) ? sizeof(struct tcphdr) : sizeof(struct udphdr));
}

/* The sum of 16-bit words in network order (RFC 1071), on top of @sum. */
static uint32_t add_words(const void *from, size_t len, uint32_t sum)
{
	const uint8_t *at = from;

	for (; len > 1; len -= 2, at += 2)
		sum += at[0] << 8 | at[1];
	if (len)
		sum += at[0] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static uint8_t write_ip(uint8_t *to, const struct sender *s, const struct layout *l, uint64_t id,
			uint32_t length)
{
	uint8_t ipproto = is_tcp(l) ? IPPROTO_TCP : IPPROTO_UDP;
	uint32_t label = is_tcp(l) ? 0 : id & 0xffff; /* TCP stays one flow */
	struct iphdr ip = { .version = 4, .ihl = 5, .ttl = TTL, .protocol = ipproto };
	struct ip6_hdr ip6 = { .ip6_flow = htonl(6U << 28 | label), .ip6_nxt = ipproto,
			       .ip6_hlim = TTL, .ip6_src = s->ip6_from, .ip6_dst = s->ip6_to };

	if (is_ip4(l)) {
		ip.tot_len = htons(length - ETH_BYTES);
		ip.id = htons(id);
		ip.frag_off = htons(IP_DF);
		ip.saddr = s->ip4_from.s_addr;
		ip.daddr = s->ip4_to.s_addr;
		ip.check = htons(~fold(add_words(&ip, sizeof(ip), 0)));
		memcpy(to, &ip, sizeof(ip));
	} else {
		ip6.ip6_plen = htons(length - ETH_BYTES - sizeof(ip6));
		memcpy(to, &ip6, sizeof(ip6));
	}
	return ipproto;
}

static void write_l4(uint8_t *to, const struct sender *s, const struct layout *l, uint64_t id,
		     uint32_t l4_bytes)
{
	struct udphdr udp = { .source = htons(s->port_from), .dest = htons(s->port_to),
			      .len = htons(l4_bytes) };
	struct tcphdr tcp = { .source = htons(s->port_from), .dest = htons(s->port_to),
			      .ack_seq = htonl(id), .doff = 5, .ack = 1,
			      .window = htons(0xffff) };

	if (is_tcp(l))
		memcpy(to, &tcp, sizeof(tcp));
	else
		memcpy(to, &udp, sizeof(udp));
}

static void write_payload(uint8_t *to, const struct sender *s, uint64_t id, uint32_t bytes)
{
	struct xlc_mark mark = { .magic = htole32(XLC_MARK_MAGIC), .payload_bytes = htole32(bytes),
				 .id = htole64(id) };

	xlc_fill(to, bytes, 0, xlc_base(s->seed, id));
	if (bytes >= sizeof(mark))
		memcpy(to, &mark, sizeof(mark));
}

/* The pseudo header's sum alone is what a device expects in place; else the whole one. */
static void write_checksum(uint8_t *frame, const struct layout *l, uint8_t ipproto,
			   uint32_t l4_bytes)
{
	uint8_t *l4 = frame + l4_offset(l);
	uint8_t *at = l4 + (is_tcp(l) ? offsetof(struct tcphdr, check) :
					offsetof(struct udphdr, check));
	uint32_t bytes = is_ip4(l) ? 8 : 32, sum;
	uint16_t check;

	sum = add_words(l4 - bytes, bytes, ipproto + l4_bytes);
	check = fold(sum);
	if (l->checksum == XLC_CSUM_NONE) {
		check = ~fold(add_words(l4, l4_bytes, sum));
		if (!check)
			check = 0xffff;
	}
	check = htons(check);
	memcpy(at, &check, sizeof(check));
}

static void describe(struct virtio_net_hdr *net, const struct layout *l)
{
	*net = (struct virtio_net_hdr){ .hdr_len = l->linear };
	if (l->checksum == XLC_CSUM_PARTIAL) {
		net->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		net->csum_start = l4_offset(l);
		net->csum_offset = is_tcp(l) ? offsetof(struct tcphdr, check) :
					       offsetof(struct udphdr, check);
	}
	if (l->gso) {
		net->gso_type = is_ip4(l) ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
		net->gso_size = l->gso;
	}
}

uint32_t frame_build(uint8_t *to, struct virtio_net_hdr *net, const struct sender *s,
		     const struct layout *l, uint64_t index)
{
	uint32_t length = layout_length(l), at = frame_header_bytes(l);
	uint32_t l4_bytes = length - l4_offset(l);
	uint16_t ethertype = htons(is_ip4(l) ? 0x0800 : 0x86dd);
	uint64_t id = s->first_id + index;
	uint8_t ipproto;

	memcpy(to, s->mac_to, sizeof(s->mac_to));
	memcpy(to + 6, s->mac_from, sizeof(s->mac_from));
	memcpy(to + 12, &ethertype, sizeof(ethertype));
	ipproto = write_ip(to + ETH_BYTES, s, l, id, length);
	write_l4(to + l4_offset(l), s, l, id, l4_bytes);
	write_payload(to + at, s, id, length - at);
	write_checksum(to, l, ipproto, l4_bytes);
	describe(net, l);
	return length;
}
