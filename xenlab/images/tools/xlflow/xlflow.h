/* SPDX-License-Identifier: GPL-2.0-only */
/* xlflow: makes and checks flows of exactly known payload, and reads a node's counters. */
#ifndef XLFLOW_H
#define XLFLOW_H

#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define XLFLOW_SCHEMA		1
/* 65535 less the UDP header; IPv4 takes its own header of 20 bytes from it too. */
#define UDP_PAYLOAD_MAX		65527
#define UDP4_PAYLOAD_MAX	65507
#define TCP_WRITE_MAX		(1 << 20)
#define SIZES_MAX		(1 << 16)
#define FLOWS_MAX		16
/* Doubled by the kernel; see the bound in xenlab/measure/flow.py before changing it. */
#define RECEIVE_BUFFER_BYTES	(16 << 20)

/* One flow of the command line: proto@address@port@seed@sizes. */
struct flow {
	int index;
	bool tcp;
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} addr;
	socklen_t addr_len;
	uint64_t seed;
	uint32_t *sizes;
	size_t count;
	/*
	 * The largest payload of a single packet where those in fragments have a way of their own:
	 * no promise of order holds between both. 0 where there is one way for all.
	 */
	size_t whole_max;
	int fd;
};

struct times {
	int idle_ms;		/* without a packet: end of a stream, or of a flow that was sent */
	int linger_ms;		/* how long a complete flow waits for duplicates */
	int64_t deadline_ms;	/* CLOCK_MONOTONIC; end of everything */
};

void die(const char *what) __attribute__((noreturn));
const char *error_name(int error);
int64_t now_ms(void);
/*
 * Whether one of @events came before the deadline and within @patience_ms (-1: no limit), of which
 * none is spent while this machine stands still.
 */
bool wait_for(int fd, short events, int patience_ms, const struct times *t);

/* Ends the program with status 2 when @text is not a flow. */
void flow_parse(struct flow *f, int index, const char *text);

/* Bytes [offset, offset + len) of datagram (or TCP stream) @index under @seed. */
void payload_fill(uint8_t *to, size_t len, uint64_t seed, uint64_t index, uint64_t offset);

void udp_receive(const struct flow *f, const struct times *t);
void tcp_receive(const struct flow *f, const struct times *t);
/* Each flow by a process of its own, and what they tell in the order of the flows. */
void receive_all(const struct flow *flows, int count, const struct times *t);
/* From then on SIGUSR1 means that the sender has ended. */
void listen_for_end(void);
/* Whether one of @events came, or the sender has ended for as long as @patience_ms. */
bool wait_for_sender(int fd, short events, int patience_ms, const struct times *t);
void udp_send(const struct flow *f, const struct times *t);
void tcp_send(const struct flow *f, const struct times *t);

/* A stream's sending end; NULL, or the name of what stopped it. The socket does not block. */
const char *stream_open(const struct flow *f, const struct times *t);
const char *stream_write(int fd, const uint8_t *from, size_t len, const struct times *t);
const char *stream_close(int fd, const struct times *t);
void stream_cut(int fd);
/* Cuts off what had an @error, and prints how it ended. */
void stream_end(const struct flow *f, const char *error, uint64_t sent);

void counters_print(void);
/* Lines of files by patterns, and statistics of devices; both lists end with NULL. */
void reading_print(char **patterns, char **devices);

/* A member of the counters: how much of what this node began has no end yet. */
void unfinished_print(void);
/* Returns when nothing is unfinished, at the latest at the deadline. */
void await_silence(const struct times *t);
/* A fragment may be as late as a packet, and not later: what it leaves ends with the flow. */
void limit_reassembly(const struct times *t);
void restore_reassembly(void);

#endif
