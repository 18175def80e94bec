"""Memory in pieces: a node with no free block above some order, proved before and after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from xenlab.errors import MeasurementError, WaitTimedOut
from xenlab.guest.sysctl import sysctls_set
from xenlab.measure.buddy import FreeBlocks, parse_buddyinfo
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.kernel_module import build_modules, module_loaded
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline, wait_until

MODULE = "xlpieces"
READ_S = 20.0
PIECES_S = 5.0
BUDDYINFO = "/proc/buddyinfo"
QUIET = f"/sys/module/{MODULE}/parameters/quiet"
# Looks of the module, of which there is one each 8 ms.
QUIET_LOOKS = 60
SETTLE_S = 20.0
# Else large blocks are made up by compaction, out of what others have in use: now and then, and for
# who finds none of more than 8 pages, however a zone is fragmented (mm/compaction.c,
# compaction_suitable).
WHILE_IN_PIECES = {
    "vm/compaction_proactiveness": "0",
    "vm/extfrag_threshold": "1000",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragmentation:
    """A node's memory while it is in pieces; `found` is its free blocks at the beginning."""

    shell: Shell
    order: int
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
    (module,) = build_modules(lab, MODULE, [node]).values()
    with (
        sysctls_set(shell, WHILE_IN_PIECES, lab.budget(READ_S)),
        module_loaded(lab, node, MODULE, module, {"order": str(order)}),
    ):
        _settle(shell, lab.budget(SETTLE_S))
        found = _require_pieces(shell, order, lab.budget(PIECES_S))
        fragmentation = Fragmentation(shell=shell, order=order, found=found)
        yield fragmentation
        fragmentation.require(lab.budget(PIECES_S))


def read_free_blocks(shell: Shell, deadline: Deadline) -> FreeBlocks:
    """A node's free blocks. Raises CommandFailed or MeasurementError."""
    return parse_buddyinfo(shell.where, shell.read_file(BUDDYINFO, deadline=deadline).decode())


def _settle(shell: Shell, deadline: Deadline) -> None:
    """No larger block comes up any more. Raises MeasurementError where that does not end."""
    seen: list[int] = []

    def quiet() -> bool:
        seen.append(int(shell.read_file(QUIET, deadline=deadline)))
        return seen[-1] >= QUIET_LOOKS

    try:
        wait_until(quiet, "memory that stays in pieces", deadline)
    except WaitTimedOut as error:
        if not seen:  # the node itself does not answer
            raise
        raise MeasurementError(f"{shell.where}: large blocks of memory keep coming up") from error


def _require_pieces(shell: Shell, order: int, deadline: Deadline) -> FreeBlocks:
    """The free blocks; larger ones that came up this moment are taken by the module in the next."""
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
