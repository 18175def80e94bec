"""Counting filters: packets taken at a device before any stack of a Linux sees them, and counted.

They are dropped there, so nothing answers them, and a receiver that is slower than they come is
none of theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from xenlab.errors import MeasurementError
from xenlab.guest.answer import Answer
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline

MODULES = ("sch_ingress", "cls_u32", "cls_matchall", "act_gact")
INGRESS = "ffff:"
MARKED, OTHERS = "u32", "matchall"
UNDO_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What a packet must have to be counted as one of ours: 32-bit words by their offset.

    Offsets are from the IP header on.
    """

    words: tuple[tuple[int, int], ...]

    @property
    def matches(self) -> tuple[str, ...]:
        """The same in tc's words."""
        return tuple(
            word
            for offset_bytes, value in self.words
            for word in ("match", "u32", f"{value:#010x}", "0xffffffff", "at", str(offset_bytes))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Packets, and their bytes from the IP header on."""

    packets: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CountingFilter:
    """The filters on one device of one node."""

    shell: Shell
    device: str

    def read(self, deadline: Deadline) -> tuple[Counted, Counted]:
        """What was counted since: marked packets, then all others. Raises MeasurementError."""
        argv = ["tc", "-s", "-j", "filter", "show", "dev", self.device, "parent", INGRESS]
        text = self.shell.run(argv, deadline=deadline).require_success().stdout
        return parse_filters(f"filters of {self.shell.where} {self.device}", text)


@contextmanager
def counting_filter(
    shell: Shell, device: str, mark: Mark, deadline: Deadline
) -> Iterator[CountingFilter]:
    """Filters on what comes in by a device, as long as the context lasts.

    Refused by tc, and so CommandFailed, where the device has such a hook already.
    """
    shell.run(["modprobe", "-a", *MODULES], deadline=deadline).require_success()
    where = ["dev", device]
    shell.run(["tc", "qdisc", "add", *where, "ingress"], deadline=deadline).require_success()
    try:
        add = ["tc", "filter", "add", *where, "parent", INGRESS, "prio"]
        ours = [*add, "1", "protocol", "ip", MARKED, *mark.matches, "action", "drop"]
        shell.run(ours, deadline=deadline).require_success()
        shell.run([*add, "2", OTHERS, "action", "drop"], deadline=deadline).require_success()
        yield CountingFilter(shell=shell, device=device)
    finally:
        undo = ["tc", "qdisc", "del", *where, "ingress"]
        shell.run(undo, deadline=Deadline.after(UNDO_S)).require_success()


def parse_filters(what: str, text: bytes) -> tuple[Counted, Counted]:
    """The counts of both filters in an answer of tc. Raises MeasurementError."""
    answer = Answer.parse(what, b'{"filters":' + text + b"}")
    counted = {MARKED: [], OTHERS: []}  # type: dict[str, list[Counted]]
    for each in answer.nested_list("filters"):
        kind = each.text("kind")
        if "options" not in each.fields or kind not in counted:
            continue
        options = each.nested("options")
        if "actions" in options.fields:
            counted[kind] += (_parse_stats(action) for action in options.nested_list("actions"))
    if [len(found) for found in counted.values()] != [1, 1]:
        raise MeasurementError(f"{what}: not the two that were set")
    (marked,), (others,) = counted.values()
    return marked, others


def _parse_stats(action: Answer) -> Counted:
    stats = action.nested("stats")
    return Counted(packets=stats.integer("packets"), bytes=stats.integer("bytes"))
