"""Pages: how many a stretch of bytes touches, and the pieces that they cut it into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xenlab.slots.layout import PAGE_BYTES

# Grants are of 4096 bytes whatever pages a kernel has: XEN_PAGE_SHIFT, include/xen/page.h.


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Bytes that lie in one page; `offset_bytes` counts from the page's start."""

    offset_bytes: int
    size_bytes: int


def count_grants(offset_bytes: int, size_bytes: int) -> int:
    """Grants that netfront counts for a stretch of bytes (gnttab_count_grant).

    XEN_PFN_UP(offset in page + size), include/xen/grant_table.h:335. A stretch of no bytes that
    starts inside a page counts one.
    """
    return -(-(offset_bytes % PAGE_BYTES + size_bytes) // PAGE_BYTES)


def cut_at_pages(offset_bytes: int, size_bytes: int) -> Iterator[Piece]:
    """The pieces of a stretch; none for no bytes (xennet_make_txreqs, NF:545).

    It runs `while (len)`, so that a frag of size 0 makes no request.
    """
    offset_bytes %= PAGE_BYTES
    while size_bytes:
        piece_bytes = min(PAGE_BYTES - offset_bytes, size_bytes)
        yield Piece(offset_bytes=offset_bytes, size_bytes=piece_bytes)
        size_bytes -= piece_bytes
        offset_bytes = 0


def worst_slots(length_bytes: int, frags: int) -> int:
    """The most slots that `length_bytes` in a linear part and `frags` frags can take.

    Each buffer takes two slots with two bytes astride a page's end, and 4096 bytes more take one
    slot more. Where there are fewer than two bytes for each, every byte has a slot of its own.
    """
    astride_bytes = 2 * (1 + frags)
    if length_bytes < astride_bytes:
        return length_bytes
    return astride_bytes + (length_bytes - astride_bytes) // PAGE_BYTES
