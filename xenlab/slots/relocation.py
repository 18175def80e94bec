"""Relocation: what patched frontends send in place of the frags of a packet of too many slots.

What the series frontend-copy-to-pages and frontend-repack do (kernels/patches), frag by frag.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate

from xenlab.slots.layout import PAGE_BYTES
from xenlab.slots.limits import Limits, Relocation
from xenlab.slots.pages import Piece, cut_at_pages

# A frag and what of it is in one slot; COPIED is a page of the frontend's own.
Placed = tuple[int, Piece]
COPIED = -2

Run = tuple[int, int]
UNREACHABLE = 0xFFFF  # more bytes than the frags of any packet have


def relocate(
    stretches: Sequence[tuple[int, int]], head_slots: int, limits: Limits
) -> tuple[Placed, ...]:
    """The slots behind those of the linear part, for frags given as offset and size in bytes."""
    if limits.relocation is Relocation.COPY:
        frag_bytes = sum(size_bytes for _offset_bytes, size_bytes in stretches)
        return tuple((COPIED, piece) for piece in cut_at_pages(0, frag_bytes))
    pieces = [
        (frag, piece)
        for frag, (offset_bytes, size_bytes) in enumerate(stretches)
        for piece in cut_at_pages(offset_bytes, size_bytes)
    ]
    return tuple(_repack(pieces, head_slots + len(pieces) - limits.frontend_slots))


def _repack(pieces: list[Placed], excess_slots: int) -> Iterator[Placed]:
    at = 0
    sizes_bytes = [piece.size_bytes for _frag, piece in pieces]
    for start, length in plan_runs(sizes_bytes, excess_slots):
        yield from pieces[at:start]
        at = start + length
        for piece in cut_at_pages(0, sum(sizes_bytes[start:at])):
            yield COPIED, piece
    yield from pieces[at:]


def plan_runs(sizes_bytes: Sequence[int], excess_slots: int) -> tuple[Run, ...]:
    """The runs of pieces, each copied into whole pages, that save so many slots for fewest bytes.

    As start and length, in order; none if nothing has to be saved. `xennet_plan_runs()` of the
    series frontend-repack, its choice among equals included.
    """
    if excess_slots <= 0:
        return ()
    longest_bytes = _shortest_run(sizes_bytes, excess_slots)
    # The fewest bytes among the first pieces that save 0, 1, .. slots, and the last run's length.
    fewest = [[0, *(UNREACHABLE,) * excess_slots]]
    last = [[0] * (excess_slots + 1)]
    for end in range(1, len(sizes_bytes) + 1):
        bytes_row, run_row = fewest[-1].copy(), [0] * (excess_slots + 1)
        for length, run_bytes in _runs_ending(sizes_bytes, end, longest_bytes):
            saved = _slots_saved(length, run_bytes)
            before = fewest[end - length]
            for slots in range(1, excess_slots + 1) if saved else ():
                cost_bytes = run_bytes + before[max(slots - saved, 0)]
                if cost_bytes < bytes_row[slots]:
                    bytes_row[slots], run_row[slots] = cost_bytes, length
        fewest.append(bytes_row)
        last.append(run_row)
    return tuple(reversed(tuple(_trace(sizes_bytes, last, excess_slots))))


def _runs_ending(
    sizes_bytes: Sequence[int], end: int, longest_bytes: int
) -> Iterator[tuple[int, int]]:
    """Length and bytes of each run whose last piece is the one before `end`."""
    backwards = reversed(sizes_bytes[:end])
    for length, run_bytes in enumerate(accumulate(backwards), 1):
        if run_bytes > longest_bytes:
            return
        yield length, run_bytes


def _shortest_run(sizes_bytes: Sequence[int], excess_slots: int) -> int:
    """The bytes of the shortest run that saves enough alone: a cheaper plan has no longer one."""
    return min(
        run_bytes
        for start in range(len(sizes_bytes))
        for length, run_bytes in enumerate(accumulate(sizes_bytes[start:]), 1)
        if _slots_saved(length, run_bytes) >= excess_slots
    )


def _trace(sizes_bytes: Sequence[int], last: list[list[int]], slots: int) -> Iterator[Run]:
    end = len(sizes_bytes)
    while slots:
        length = last[end][slots]
        if not length:
            end -= 1
            continue
        start = end - length
        yield start, length
        slots = max(slots - _slots_saved(length, sum(sizes_bytes[start:end])), 0)
        end = start


def _slots_saved(pieces: int, run_bytes: int) -> int:
    return pieces - -(-run_bytes // PAGE_BYTES)
