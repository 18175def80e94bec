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
