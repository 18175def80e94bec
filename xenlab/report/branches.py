"""Branches: what left the band of a flow picture, where, and whether a counter tells of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from xenlab.measure.attachment import DOM0
from xenlab.measure.flow_account import FlowAccount, NamedLoss
from xenlab.report.wording import group_digits, say_count


class How(StrEnum):
    """How packets, or bytes of a stream, left the band."""

    DROPPED = "dropped"
    SILENT = "lost silently"
    NEVER_LEFT = "never left"
    STREAM = "of a stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """What leaves the band behind a stop: `silent` where no counter tells of it.

    `count` is in packets or datagrams, and in bytes where it is of a stream.
    """

    stop: int
    count: int
    how: How
    where: str
    silent: bool

    @property
    def packets(self) -> int:
        """How wide the branch is: nobody knows how many packets the bytes of a stream were in."""
        return 0 if self.how is How.STREAM else self.count

    @property
    def what(self) -> str:
        """Such as `12 dropped`."""
        count = self.count
        told = say_count(count, "byte") if self.how is How.STREAM else group_digits(count)
        return f"{told} {self.how}"

    @property
    def words(self) -> str:
        """Such as `12 dropped at bob eth0 rx_errors`."""
        return f"{self.what} {self.where}"


def find_branches(*accounts: FlowAccount) -> tuple[Branch, ...]:
    """Everything that left the band of accounts of one way, in the order of the way.

    Each account is looked at by itself, for what one lost explains nothing of another.
    """
    found: dict[Branch, int] = {}
    for account in accounts:
        for branch in _branch_off(account):
            kind = replace(branch, count=0)
            found[kind] = found.get(kind, 0) + branch.count
    summed = (replace(kind, count=count) for kind, count in found.items())
    return tuple(sorted(summed, key=lambda branch: branch.stop))


def _branch_off(account: FlowAccount) -> Iterator[Branch]:
    yield from _lose_before(account)
    for index, passage in enumerate(account.passages, start=1):
        before, after = account.stations[index - 1], account.stations[index]
        where = f"between {_name(before.node, before.device)} and {_name(after.node, after.device)}"
        if passage.lost:
            yield from _name_losses(index, passage.named)
            yield from _lose_silently(index, passage.silent, where)
    yield from _lose_behind(account)
    yield from _break_off(account)


def _lose_before(account: FlowAccount) -> Iterator[Branch]:
    """What was to be sent and was not counted at the device; no silent loss if the sender knows."""
    if not account.lost_before:
        return
    yield from _name_losses(0, account.source_drops)
    rest = _less(account.lost_before, account.source_drops)
    if not account.told:
        yield from _lose_silently(0, rest, "before the device")
    elif rest:
        where = "and the sender knows"
        yield Branch(stop=0, count=rest, how=How.NEVER_LEFT, where=where, silent=False)


def _lose_behind(account: FlowAccount) -> Iterator[Branch]:
    """What the last device counted and the socket did not get.

    A packet that was lost before costs one datagram at most: what is missing beyond is lost here.
    """
    if not account.missing_packets and not account.missing_stream_bytes:
        return
    last = len(account.stations)
    yield from _name_losses(last, account.sink_drops)
    if not account.told and not account.vanished:
        behind = account.missing_packets - account.lost_on_the_way
        yield from _lose_silently(last, _less(behind, account.sink_drops), "behind the last device")


def _break_off(account: FlowAccount) -> Iterator[Branch]:
    """The end of a stream that did not come: in how many packets it was, nobody knows.

    Lost packets of a stream are sent again: only what never came after all is missing.
    """
    if not account.missing_stream_bytes:
        return
    named = account.told or account.vanished or account.source_drops or account.sink_drops
    silent = not named and not account.lost_on_the_way
    yield Branch(
        stop=len(account.stations), count=account.missing_stream_bytes, how=How.STREAM,
        where="lost silently" if silent else "did not arrive", silent=silent,
    )  # fmt: skip


def _less(lost: int, named: tuple[NamedLoss, ...]) -> int:
    return max(0, lost - sum(loss.packets for loss in named))


def _name_losses(stop: int, named: tuple[NamedLoss, ...]) -> Iterator[Branch]:
    for loss in named:
        where = f"at {loss.place}"
        yield Branch(stop=stop, count=loss.packets, how=How.DROPPED, where=where, silent=False)


def _lose_silently(stop: int, count: int, where: str) -> Iterator[Branch]:
    if count:
        yield Branch(stop=stop, count=count, how=How.SILENT, where=where, silent=True)


def _name(node: str, device: str) -> str:
    return device if node == DOM0 else f"{node} {device}"
