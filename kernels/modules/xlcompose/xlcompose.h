/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * What userspace writes to and reads from /dev/xlcompose and /dev/xlreceive.
 *
 * All integers are little endian, all sizes fixed, all structures without holes. A version that is
 * not XLC_VERSION is refused.
 *
 * Sender: write one struct xlc_batch and its records to /dev/xlcompose, in as many writes as you
 * like. The write that brings the last byte sends the whole batch and returns when every skb has
 * come back, or when drain_ms have passed. Then read one struct xlc_sent_summary and one struct
 * xlc_sent for each packet, in the order of sending. A batch with a bad record is refused as a
 * whole, before anything is sent: that write fails, and /sys/class/misc/xlcompose/refusal names
 * the record and the reason.
 *
 * Receiver: write one struct xlc_arm to /dev/xlreceive, then read one struct xlc_arrival_summary
 * and the struct xlc_arrival of each packet, in the order of arrival. The first read blocks until
 * what was wanted is there, or time is up. Another open file shortens that with XLC_OP_FINISH.
 *
 * What identifies a packet: behind the L4 header stands a struct xlc_mark, where the payload is
 * long enough for it. Each packet also carries the low bits of its id in its headers: all packets
 * of TCP 32 bits in the ack field (segmentation keeps it), UDP over IPv4 16 bits in
 * the IP identification, UDP over IPv6 16 bits in the flow label. Ids of a batch are consecutive
 * and at most XLC_IDS_MAX, so 16 bits are enough. TCP sequence numbers are offsets in the payload.
 */
#ifndef XLCOMPOSE_H
#define XLCOMPOSE_H

#include <linux/types.h>

#define XLC_VERSION		1
#define XLC_BATCH_MAGIC		0x42434c58	/* "XLCB" */
#define XLC_ARM_MAGIC		0x41434c58	/* "XLCA" */
#define XLC_SENT_MAGIC		0x53434c58	/* "XLCS" */
#define XLC_ARRIVAL_MAGIC	0x52434c58	/* "XLCR" */
#define XLC_MARK_MAGIC		0x4d434c58	/* "XLCM" */

#define XLC_IDS_MAX		65536
#define XLC_ORDER_MAX		10
#define XLC_LENGTH_MAX		65549	/* an IPv4 packet of 65535 bytes, and Ethernet */
#define XLC_BATCH_BYTES_MAX	(16 << 20)
#define XLC_DEVICE_BYTES	16

enum xlc_protocol {
	XLC_UDP4,
	XLC_UDP6,
	XLC_TCP4,
	XLC_TCP6,
	XLC_PROTOCOLS
};

enum xlc_checksum {
	XLC_CSUM_PARTIAL,	/* CHECKSUM_PARTIAL, pseudo header sum in place */
	XLC_CSUM_NONE,		/* complete checksum in place */
	XLC_CSUMS
};

enum xlc_mode {
	XLC_MODE_REAL,		/* dev_queue_xmit() */
	XLC_MODE_DIRECT,	/* netdev_start_xmit() under the queue's lock */
	XLC_MODES
};

/* Faults to plant, struct xlc_record.plant */
#define XLC_PLANT_CORRUPT	0x01	/* invert the payload byte at plant_offset */
#define XLC_PLANT_DUPLICATE	0x02	/* send it twice; the second one has no result */
#define XLC_PLANT_OMIT		0x04	/* do not send it at all */
#define XLC_PLANTS		0x07

/* Who talks to whom. For the receiver zeros mean: any. Addresses and ports in network order. */
struct xlc_flow {
	__u8 mac_to[6];
	__u8 mac_from[6];
	__u8 ip4_from[4];
	__u8 ip4_to[4];
	__u8 ip6_from[16];
	__u8 ip6_to[16];
	__be16 port_from;
	__be16 port_to;
};

struct xlc_batch {
	__le32 magic;
	__le16 version;
	__le16 header_bytes;	/* sizeof(struct xlc_batch) */
	__le32 total_bytes;	/* this header and all records with their frags */
	__le32 records;
	__le64 seed;
	__le64 first_id;
	char device[XLC_DEVICE_BYTES];
	struct xlc_flow flow;
	__u8 mode;
	__u8 burst;		/* direct mode: packets under one lock, 1 .. 64 */
	__le16 queue;		/* direct mode: transmit queue, or XLC_QUEUE_ANY */
	__le32 drain_ms;	/* how long to wait for skbs to come back after the last one */
	__le32 stall_ms;	/* how long to wait for a queue that takes nothing */
	__le16 headroom;	/* in front of the linear part */
	__le16 window_kib;	/* bytes that may be under way at once; 0: no limit */
};

#define XLC_QUEUE_ANY		0xffff	/* the driver's choice */
/*
 * The buffer begins with a page, so the headroom is the linear offset. netfront's bounce_skb()
 * keeps it: a header at the end of a page is still at the end of a page in its copy.
 */
#define XLC_HEADROOM_PAGE	0xffff
#define XLC_HEADROOM_MAX	4096
#define XLC_BURST_MAX		64

/* One layout; `frags` struct xlc_frag follow it. */
struct xlc_record {
	__le32 linear_bytes;	/* from the Ethernet header on */
	__le16 linear_offset;	/* of skb->data in its first page */
	__le16 gso_size;	/* 0: no GSO */
	__u8 frags;
	__u8 protocol;
	__u8 checksum;
	__u8 plant;
	__le16 repeat;		/* packets of this layout, at least 1; each has its id */
	__le16 plant_offset;
};

struct xlc_frag {
	__le32 offset;		/* from the start of the compound page */
	__u8 size[3];		/* little endian too; 0 is legal */
	__u8 order;
};

/* struct xlc_sent.flags */
#define XLC_SENT_GIVEN		0x0001	/* handed to the driver, or to the qdisc */
#define XLC_SENT_DROPPED	0x0002	/* direct mode: tx_dropped moved in the call */
#define XLC_SENT_COMPLETED	0x0004	/* the destructor was seen */
#define XLC_SENT_IN_CALL	0x0008	/* ... before the transmit call returned */
#define XLC_SENT_LINEARISED	0x0010	/* had paged data, and had none in the end */
#define XLC_SENT_INTACT		0x0020	/* head and paged data as composed, to the end */
#define XLC_SENT_HEAD_MOVED	0x0040	/* the linear part was moved into another buffer */
#define XLC_SENT_OMITTED	0x0080	/* XLC_PLANT_OMIT */

struct xlc_sent {
	__le16 flags;
	__s8 result;		/* of the call: 0, NET_XMIT_* or -errno; -128: below that */
	__u8 held;		/* frags whose pages others held right after the call */
	__le16 waits;		/* how often it waited for the queue, at most 65535 */
	__le16 dropped;		/* direct mode: by how much tx_dropped moved in the call */
	__le32 submit_us;	/* since the batch began */
	__le32 latency_us;	/* from submission to the destructor */
};

struct xlc_sent_summary {
	__le32 magic;
	__le16 version;
	__le16 header_bytes;
	__le32 packets;		/* struct xlc_sent behind it */
	__le32 given;
	__le32 outstanding;	/* skbs of this batch that did not come back in time */
	__le32 compose_us;	/* from the first packet composed to the last one sent */
	__le32 drain_us;	/* from then until everything was back */
	__le32 error;		/* 0, or the errno that ended the batch early */
};

enum xlc_op {
	XLC_OP_ARM,
	XLC_OP_FINISH,		/* nothing more is sent: idle_ms from now on; device says where */
};

struct xlc_arm {
	__le32 magic;
	__le16 version;
	__le16 header_bytes;
	__le32 op;
	__le32 capacity;	/* arrivals that can be told; the others are counted as overflow */
	__le64 seed;
	__le64 first_id;
	__le32 ids;		/* 1 .. XLC_IDS_MAX */
	__le32 want_packets;	/* wait until as many have arrived ... */
	__le64 want_bytes;	/* ... with as many bytes of payload */
	__le32 idle_ms;		/* ... or nothing came for so long since the last one */
	__le32 timeout_ms;	/* ... or so long after arming */
	char device[XLC_DEVICE_BYTES];
	struct xlc_flow flow;
};

/* struct xlc_arrival.flags */
#define XLC_BAD_PAYLOAD		0x0001	/* first_bad says where */
#define XLC_BAD_MARK		0x0002	/* the mark behind the L4 header is not what was sent */
#define XLC_BAD_LENGTH		0x0004	/* not of the length that it, or its headers, tell */
#define XLC_BAD_ETHERNET	0x0008
#define XLC_BAD_IP		0x0010
#define XLC_BAD_L4		0x0020	/* ports, TCP header length */
#define XLC_BAD_CHECKSUM	0x0040	/* complete or pseudo header sum, whichever it carries */
#define XLC_BAD_ID		0x0080	/* index is none of the ids that were armed for */
#define XLC_DUPLICATE		0x0100	/* as many bytes of this id had arrived already */
#define XLC_SHORT_ID		0x0200	/* no mark in this packet: known by its headers alone */
#define XLC_IS_PART		0x0400	/* a segment: not all of the payload */
#define XLC_HAS_FRAG_LIST	0x0800
#define XLC_BAD_SEGMENTS	0x1000	/* its driver counted them, and there are others */

struct xlc_arrival {
	__le32 index;		/* id - first_id, or ~0 */
	__le32 length;		/* from the Ethernet header on */
	__le32 headlen;		/* linear bytes of it */
	__le32 start;		/* offset of its first payload byte in what was sent */
	__le32 first_bad;	/* offset in the payload as sent, or ~0 */
	__le16 gso_size;
	__le16 flags;
	__u8 frags;
	__u8 listed;		/* skbs on its frag_list */
	__u8 summed;		/* ip_summed */
	__u8 protocol;
	__le32 time_us;		/* since arming */
};

enum xlc_end {
	XLC_END_COMPLETE,
	XLC_END_IDLE,
	XLC_END_TIMEOUT,
	XLC_END_FINISHED,	/* idle after XLC_OP_FINISH */
	XLC_END_DEVICE_GONE,
};

struct xlc_arrival_summary {
	__le32 magic;
	__le16 version;
	__le16 header_bytes;
	__le32 arrivals;	/* struct xlc_arrival that follow */
	__le32 overflow;	/* arrived, verified, and not told for want of capacity */
	__le64 payload_bytes;
	__le32 ids_seen;	/* ids of which at least one packet arrived */
	__le32 duplicates;
	__le32 bad;		/* arrivals with any XLC_BAD_* */
	__le32 passed;		/* packets of others, left to the stack */
	__le32 end;
	__le32 elapsed_us;
};

/* Stands behind the L4 header; its bytes are the first ones of the payload. */
struct xlc_mark {
	__le32 magic;
	__le32 payload_bytes;	/* of the whole packet as sent, this mark included */
	__le64 id;
};

#endif
