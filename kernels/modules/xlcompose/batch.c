// SPDX-License-Identifier: GPL-2.0-only
/* A batch as it was written: every record is checked before the first packet is composed. */
#include <linux/etherdevice.h>
#include "internal.h"

u32 xlc_record_length(const struct xlc_record *record)
{
	const struct xlc_frag *frag = xlc_frags(record);
	u32 length = le32_to_cpu(record->linear_bytes);
	unsigned int i;

	for (i = 0; i < record->frags; i++)
		length += xlc_frag_size(&frag[i]);
	return length;
}

int xlc_check_header(const struct xlc_batch *head)
{
	u32 total = le32_to_cpu(head->total_bytes);

	if (le32_to_cpu(head->magic) != XLC_BATCH_MAGIC)
		return xlc_refuse(-EINVAL, "not a batch: magic %#x", le32_to_cpu(head->magic));
	if (le16_to_cpu(head->version) != XLC_VERSION)
		return xlc_refuse(-EPROTO, "batch of version %u, this is version %u",
				  le16_to_cpu(head->version), XLC_VERSION);
	if (le16_to_cpu(head->header_bytes) != sizeof(*head))
		return xlc_refuse(-EPROTO, "batch header of %u bytes, not %zu",
				  le16_to_cpu(head->header_bytes), sizeof(*head));
	if (total < sizeof(*head) || total > XLC_BATCH_BYTES_MAX)
		return xlc_refuse(-EFBIG, "batch of %u bytes, at most %u", total,
				  XLC_BATCH_BYTES_MAX);
	if (head->mode >= XLC_MODES)
		return xlc_refuse(-EINVAL, "mode %u is unknown", head->mode);
	if (head->burst < 1 || head->burst > XLC_BURST_MAX)
		return xlc_refuse(-EINVAL, "burst of %u, not 1 to %u", head->burst, XLC_BURST_MAX);
	if (le16_to_cpu(head->headroom) > XLC_HEADROOM_MAX &&
	    le16_to_cpu(head->headroom) != XLC_HEADROOM_PAGE)
		return xlc_refuse(-EINVAL, "headroom of %u bytes, at most %u",
				  le16_to_cpu(head->headroom), XLC_HEADROOM_MAX);
	return 0;
}

static int check_frags(u32 index, const struct xlc_record *record)
{
	const struct xlc_frag *frag = xlc_frags(record);
	unsigned int i;

	for (i = 0; i < record->frags; i++) {
		u32 offset = le32_to_cpu(frag[i].offset);

		if (frag[i].order > XLC_ORDER_MAX)
			return xlc_refuse(-EINVAL, "record %u frag %u: order %u, at most %u",
					  index, i, frag[i].order, XLC_ORDER_MAX);
		if (offset > PAGE_SIZE << frag[i].order ||
		    xlc_frag_size(&frag[i]) > (PAGE_SIZE << frag[i].order) - offset)
			return xlc_refuse(-EINVAL,
					  "record %u frag %u: %u bytes at %u end outside order %u",
					  index, i, xlc_frag_size(&frag[i]), offset, frag[i].order);
	}
	return 0;
}

static int check_gso(u32 index, const struct xlc_record *record)
{
	if (!record->gso_size)
		return 0;
	/* What netfront can say on the wire: XEN_NETIF_GSO_TYPE_TCPV4 and _TCPV6. */
	if (record->protocol != XLC_TCP4 && record->protocol != XLC_TCP6)
		return xlc_refuse(-EINVAL, "record %u: GSO of a protocol that is not TCP", index);
	/* Else a segment could be known by half a mark. */
	if (le16_to_cpu(record->gso_size) < sizeof(struct xlc_mark))
		return xlc_refuse(-EINVAL, "record %u: GSO of %u bytes, at least %zu", index,
				  le16_to_cpu(record->gso_size), sizeof(struct xlc_mark));
	if (record->checksum != XLC_CSUM_PARTIAL)
		return xlc_refuse(-EINVAL, "record %u: GSO needs a partial checksum", index);
	return 0;
}

static int check_linear(u32 index, const struct xlc_record *record, u8 mode)
{
	u32 linear = le32_to_cpu(record->linear_bytes);
	u32 least = ETH_HLEN;

	/* The stack reads headers where they belong, without asking how much of it is linear. */
	if (mode == XLC_MODE_REAL)
		least = xlc_header_bytes(&xlc_shapes[record->protocol]);
	if (linear < least || linear > XLC_LENGTH_MAX)
		return xlc_refuse(-EINVAL, "record %u: %u linear bytes, not %u to %u", index,
				  linear, least, XLC_LENGTH_MAX);
	if (le16_to_cpu(record->linear_offset) >= PAGE_SIZE)
		return xlc_refuse(-EINVAL, "record %u: linear offset %u is not in the first page",
				  index, le16_to_cpu(record->linear_offset));
	return 0;
}

static int check_length(u32 index, const struct xlc_record *record)
{
	u32 headers = xlc_header_bytes(&xlc_shapes[record->protocol]);
	u32 length = xlc_record_length(record);

	if (length < headers || length > XLC_LENGTH_MAX)
		return xlc_refuse(-EINVAL, "record %u: %u bytes, not %u to %u", index, length,
				  headers, XLC_LENGTH_MAX);
	if (record->plant & XLC_PLANT_CORRUPT &&
	    le16_to_cpu(record->plant_offset) >= length - headers)
		return xlc_refuse(-EINVAL, "record %u: byte %u to corrupt is not in its payload",
				  index, le16_to_cpu(record->plant_offset));
	return 0;
}

static int check_record(u32 index, const struct xlc_record *record, u8 mode)
{
	int error;

	if (record->protocol >= XLC_PROTOCOLS || record->checksum >= XLC_CSUMS)
		return xlc_refuse(-EINVAL, "record %u: protocol %u, checksum %u: unknown", index,
				  record->protocol, record->checksum);
	if (record->frags > MAX_SKB_FRAGS)
		return xlc_refuse(-EINVAL, "record %u: %u frags, this kernel has %u", index,
				  record->frags, (unsigned int)MAX_SKB_FRAGS);
	if (!record->repeat || record->plant & ~XLC_PLANTS)
		return xlc_refuse(-EINVAL, "record %u: repeat %u, plant %#x", index,
				  le16_to_cpu(record->repeat), record->plant);
	error = check_linear(index, record, mode);
	if (!error)
		error = check_frags(index, record);
	if (!error)
		error = check_gso(index, record);
	if (!error)
		error = check_length(index, record);
	return error;
}

/* All of a batch whose header is well; on success the number of its packets. */
int xlc_check_batch(const void *bytes, u32 *packets)
{
	const struct xlc_batch *head = bytes;
	const void *end = bytes + le32_to_cpu(head->total_bytes);
	const struct xlc_record *record = bytes + sizeof(*head);
	u32 index;
	int error;

	*packets = 0;
	for (index = 0; index < le32_to_cpu(head->records); index++) {
		if ((const void *)(record + 1) > end || (const void *)xlc_next_record(record) > end)
			return xlc_refuse(-EINVAL, "record %u: the batch ends within it", index);
		error = check_record(index, record, head->mode);
		if (error)
			return error;
		*packets += le16_to_cpu(record->repeat);
		/* At each record: the sum of all of them may be no u32. */
		if (*packets > XLC_IDS_MAX)
			return xlc_refuse(-EINVAL, "record %u: with it %u packets, at most %u",
					  index, *packets, XLC_IDS_MAX);
		record = xlc_next_record(record);
	}
	if ((const void *)record != end)
		return xlc_refuse(-EINVAL, "%zu bytes are left behind the last record",
				  (size_t)(end - (const void *)record));
	if (!*packets)
		return xlc_refuse(-EINVAL, "no packets, not 1 to %u", XLC_IDS_MAX);
	return 0;
}
