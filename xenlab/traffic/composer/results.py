"""What the kernel module answers: one Sent for each packet sent, one Arrival for each received."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import NamedTuple

from xenlab.errors import DriverFailed, MeasurementError
from xenlab.traffic.composer import wire
from xenlab.traffic.composer.wire import BAD, ArrivalFlag, End, SentFlag

# As plain numbers: to combine flags of an enum costs as much as all the rest about a packet.
_BAD = int(BAD)
_DUPLICATE = int(ArrivalFlag.DUPLICATE)


class Sent(NamedTuple):
    """One packet at its sender. A tuple: there are a hundred thousand of them."""

    flags: int
    result: int
    held_frags: int
    waits: int
    dropped: int
    submit_us: int
    latency_us: int

    @property
    def accepted(self) -> bool:
        """Given to the driver, which did not drop it."""
        return self.flags & (SentFlag.GIVEN | SentFlag.DROPPED) == SentFlag.GIVEN

    @property
    def held(self) -> bool:
        """Given to the driver, which has not ended it."""
        return self.flags & (SentFlag.GIVEN | SentFlag.COMPLETED) == SentFlag.GIVEN

    @property
    def linearised(self) -> bool:
        """Its paged data was gone when it ended."""
        return bool(self.flags & SentFlag.LINEARISED)


class Arrival(NamedTuple):
    """One packet at its receiver; `first_bad` and `place` are NO_INDEX where there is none."""

    place: int
    length_bytes: int
    headlen_bytes: int
    start: int
    first_bad: int
    gso_size_bytes: int
    flags: int
    frags: int
    listed: int
    summed: int
    protocol: int
    time_us: int

    @property
    def intact(self) -> bool:
        """Every header field and every byte of payload as sent; it may be a part, or come twice."""
        return not self.flags & _BAD

    @property
    def duplicate(self) -> bool:
        """These bytes had come before."""
        return bool(self.flags & _DUPLICATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendReport:
    """A batch at its sender; `error` is the errno that ended it early, 0 if none did."""

    sent: tuple[Sent, ...]
    given: int
    outstanding: int
    compose_us: int
    drain_us: int
    error: int

    def require_all_given(self, source: str) -> None:
        """Nothing, if every packet was given to the device.

        Raises DriverFailed where the device's queue stood still, or what was under way did not come
        back, for as long as the batch allows (`Way.stall_ms`); MeasurementError for any other end.
        """
        if self.error == errno.ETIMEDOUT:
            raise DriverFailed(
                f"{source}: the device took {self.given} of {len(self.sent)} packets and stands"
                f" still, {self.outstanding} skbs were not given back",
                phase="",
            )
        if self.error:
            raise MeasurementError(f"{source}: the sender ended with errno {self.error}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalReport:
    """A batch at its receiver."""

    arrivals: tuple[Arrival, ...]
    overflow: int
    payload_bytes: int
    ids_seen: int
    duplicates: int
    bad: int
    passed: int
    end: End
    elapsed_us: int


def parse_sent(answer: bytes) -> SendReport:
    """The sender's answer. Raises MeasurementError for what is no such answer."""
    head, body = _split("sender", wire.SENT_SUMMARY, wire.SENT_MAGIC, answer)
    packets, given, outstanding, compose_us, drain_us, error = head
    _require_size("sender", wire.SENT, packets, body)
    return SendReport(
        sent=tuple(map(Sent._make, wire.SENT.iter_unpack(body))),
        given=given,
        outstanding=outstanding,
        compose_us=compose_us,
        drain_us=drain_us,
        error=error,
    )


def parse_arrivals(answer: bytes) -> ArrivalReport:
    """The receiver's answer. Raises MeasurementError for what is no such answer."""
    head, body = _split("receiver", wire.ARRIVAL_SUMMARY, wire.ARRIVAL_MAGIC, answer)
    arrivals, overflow, payload_bytes, ids_seen, duplicates, bad, passed, end, elapsed_us = head
    _require_size("receiver", wire.ARRIVAL, arrivals, body)
    return ArrivalReport(
        arrivals=tuple(map(Arrival._make, wire.ARRIVAL.iter_unpack(body))),
        overflow=overflow,
        payload_bytes=payload_bytes,
        ids_seen=ids_seen,
        duplicates=duplicates,
        bad=bad,
        passed=passed,
        end=End(end),
        elapsed_us=elapsed_us,
    )


def _split(who: str, form: Struct, magic: int, answer: bytes) -> tuple[Sequence[int], bytes]:
    if len(answer) < form.size:
        raise MeasurementError(f"{who}: {len(answer)} bytes are no answer of the composer")
    seen, version, header_bytes, *head = form.unpack_from(answer)
    if (seen, version, header_bytes) != (magic, wire.VERSION, form.size):
        raise MeasurementError(
            f"{who}: an answer of magic {seen:#x}, version {version}, {header_bytes} bytes;"
            f" not {magic:#x}, {wire.VERSION}, {form.size}"
        )
    return head, answer[form.size :]


def _require_size(who: str, form: Struct, count: int, body: bytes) -> None:
    if len(body) != count * form.size:
        raise MeasurementError(f"{who}: {len(body)} bytes do not hold {count} records")
