"""Memory in pieces: a node with no free block above some order, proved before and after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from xenlab.errors import MeasurementError, WaitTimedOut
from xenlab.guest.answer import Answer
from xenlab.guest.counters import SCHEMA
from xenlab.guest.sysctl import sysctls_set
from xenlab.measure.buddy import FreeBlocks, parse_buddyinfo
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.sources.tool import XLSOURCE
from xenlab.transport.shell import RunningCommand, Shell
from xenlab.waiting import Deadline, wait_until

FRAGMENT_S = 120.0
READ_S = 20.0
PIECES_S = 5.0
BUDDYINFO = "/proc/buddyinfo"
WHILE_IN_PIECES = {
    # Else compaction moves locked pages too, and makes large blocks of what they leave.
    "vm/compact_unevictable_allowed": "0",
    # Else each zone keeps blocks that nobody is given but a driver in need: against those who could
    # have had memory of a higher zone, and more of them each time that memory goes to pieces. What
    # was kept by then goes when the marks are set anew, be it as they were (mm/page_alloc.c,
    # __setup_per_zone_wmarks).
    "vm/lowmem_reserve_ratio": "0 0 0 0 0",
    "vm/watermark_boost_factor": "0",
    "vm/watermark_scale_factor": "10",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragmentation:
    """A node's memory while it is in pieces; `before` and `found` are its free blocks till then."""

    shell: Shell
    order: int
    before: FreeBlocks
    found: FreeBlocks

    def require(self, deadline: Deadline) -> None:
        """Nothing, or MeasurementError: what was seen by now was not seen in pieces of memory."""
        _require_pieces(self.shell, self.order, deadline)


@contextmanager
def memory_fragmented(lab: LabHandle, node: str, order: int) -> Iterator[Fragmentation]:
    """Have no free block of more than 2**order pages in a node; afterwards memory is as it was.

    Raises MeasurementError where that could not be reached, or did not last.
    """
    shell = lab.shell(node)
    before = read_free_blocks(shell, lab.budget(READ_S))
    with sysctls_set(shell, WHILE_IN_PIECES, lab.budget(READ_S)):
        deadline = lab.budget(FRAGMENT_S)
        with shell.start([XLSOURCE, "fragment", str(order)], deadline=deadline) as running:
            _await_pieces(shell, running, deadline)
            found = _require_pieces(shell, order, lab.budget(PIECES_S))
            fragmentation = Fragmentation(shell=shell, order=order, before=before, found=found)
            yield fragmentation
            fragmentation.require(lab.budget(PIECES_S))


def read_free_blocks(shell: Shell, deadline: Deadline) -> FreeBlocks:
    """A node's free blocks. Raises CommandFailed or MeasurementError."""
    return parse_buddyinfo(shell.where, shell.read_file(BUDDYINFO, deadline=deadline).decode())


def _require_pieces(shell: Shell, order: int, deadline: Deadline) -> FreeBlocks:
    """The free blocks; larger ones that came up this moment are taken by the tool in the next."""
    seen: list[FreeBlocks] = []

    def in_pieces() -> bool:
        seen.append(read_free_blocks(shell, deadline))
        return seen[-1].largest_order <= order

    try:
        wait_until(in_pieces, "memory in pieces", deadline)
    except WaitTimedOut as error:
        if not seen:  # the node itself does not answer
            raise
        raise MeasurementError(
            f"{shell.where}: memory is not in pieces of order {order}: {seen[-1]}"
        ) from error
    return seen[-1]


def _await_pieces(shell: Shell, running: RunningCommand, deadline: Deadline) -> None:
    answer = Answer.parse(f"xlsource on {shell.where}", running.read_line(deadline))
    if answer.integer("schema") != SCHEMA:
        raise MeasurementError(f"{answer.what}: schema {answer.integer('schema')}, not {SCHEMA}")
