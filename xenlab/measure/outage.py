"""Outage: a stream of numbered datagrams while a backend on its way goes away and returns."""

from __future__ import annotations

from dataclasses import dataclass

from xenlab.measure.hops import Drop
from xenlab.measure.interrupted_stream import InterruptedStream


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """What became of a stream over a router and a backend behind it that was away meanwhile.

    In packets: what the source `sent`, what `entered` the router, what it `refused` for a named
    reason, what it `forwarded`; of that `sent_anew` by its new device, `received_anew` and
    `passed_anew` by the backend's new vifs, `reached_anew` at the sink's new device; and what
    `arrived` at its socket.
    """

    subject: str
    backend: str
    stream: InterruptedStream
    sent: int
    entered: int
    refused: tuple[Drop, ...]
    forwarded: int
    sent_anew: int
    received_anew: int
    passed_anew: int
    reached_anew: int
    arrived: int

    @property
    def lost(self) -> int:
        """Packets that were sent and did not arrive."""
        return self.sent - self.arrived

    @property
    def refused_pkts(self) -> int:
        """What the router says that it threw away."""
        return sum(drop.packets for drop in self.refused)

    @property
    def lost_with_backend(self) -> int:
        """What the router gave to its old device, or to its new one too early, and never arrived.

        It was in the rings of the backend that went, in that domain, or in the queue before it; no
        counter of these outlives it. Each packet by the old way that arrived did so without the
        new devices.
        """
        arrived_by_the_old_way = self.arrived - self.reached_anew
        return self.forwarded - self.sent_anew - arrived_by_the_old_way

    @property
    def lost_anew(self) -> int:
        """What the new devices carried a part of the way: not all of them were up yet."""
        return self.sent_anew - self.reached_anew

    @property
    def silent(self) -> dict[str, int]:
        """Packets that are missing, or too many, where nothing has happened, by place."""
        places = {
            "before the router": self.sent - self.entered,
            "in the router": self.entered - self.refused_pkts - self.forwarded,
            f"in {self.backend}": min(0, self.lost_with_backend),
            "behind it": min(0, self.sent_anew - self.received_anew)
            + min(0, self.received_anew - self.passed_anew)
            + min(0, self.passed_anew - self.reached_anew),
        }
        return {place: packets for place, packets in places.items() if packets}
