"""Head: the buffer of an skb's linear part, and where its data lies once it was copied.

The buffer is as xlcompose makes it (build_skb() on the fewest pages, a power of two of them, with
skb_shared_info at their end). What an ordinary sender leaves behind the tail is not known. Where
that decides whether __pskb_pull_tail() moves the data (net/core/skbuff.c:2396), such a packet takes
one request more or less than said here; its fate and its counters are the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from xenlab.slots.layout import PAGE_BYTES, Layout
from xenlab.slots.limits import FROM_PAGE_START, MIN_MAX_SKB_FRAGS, Limits

# sizeof(struct skb_shared_info) of 17 frags on x86-64, as a multiple of 64; 16 bytes a frag more.
SHARED_INFO_BYTES = 320
FRAG_BYTES = 16
# What __pskb_pull_tail() asks for on top of what it needs (skbuff.c:2400).
SPARE_BYTES = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Bytes before the data, from the page's start on to the data, and behind the tail."""

    headroom_bytes: int
    offset_bytes: int
    tailroom_bytes: int

    @property
    def copy_offset_bytes(self) -> int:
        """Where in its page the data lies in a copy that keeps the headroom.

        pskb_expand_head() (skbuff.c:1834) and bounce_skb() keep it. The copy is kmalloc'ed: on a
        page's start where it is longer than half a page; a shorter one lies anywhere in a page but
        never across its end (natural alignment, mm/slab_common.c), one slot all the same. From
        v6.3 on a head of up to 704 bytes may come from a cache without that alignment.
        """
        return self.headroom_bytes % PAGE_BYTES


def build_head(layout: Layout, limits: Limits) -> Head:
    """The head that a layout's linear part has."""
    offset_bytes = layout.linear_offset_bytes
    headroom_bytes = limits.headroom_bytes
    if headroom_bytes == FROM_PAGE_START:
        headroom_bytes = offset_bytes
    # A headroom longer than the offset begins in the page before.
    before_bytes = PAGE_BYTES if headroom_bytes > offset_bytes else 0
    tail_bytes = before_bytes + offset_bytes + layout.linear_bytes
    shared_bytes = shared_info_bytes(limits)
    pages = -(-(tail_bytes + shared_bytes) // PAGE_BYTES)
    end_bytes = PAGE_BYTES * (1 << (pages - 1).bit_length()) - shared_bytes
    return Head(
        headroom_bytes=headroom_bytes,
        offset_bytes=offset_bytes,
        tailroom_bytes=end_bytes - tail_bytes,
    )


def shared_info_bytes(limits: Limits) -> int:
    """What skb_shared_info takes, aligned to a cache line (SKB_DATA_ALIGN)."""
    return (
        SHARED_INFO_BYTES + -(-FRAG_BYTES * (limits.max_skb_frags - MIN_MAX_SKB_FRAGS) // 64) * 64
    )
