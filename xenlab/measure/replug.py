"""Replug: a stream of numbered datagrams while a device on its way is unplugged and plugged in."""

from __future__ import annotations

from dataclasses import dataclass

from xenlab.measure.interrupted_stream import InterruptedStream


@dataclass(frozen=True, slots=True, kw_only=True)
class Replug:
    """What became of a stream through a device that was another one afterwards.

    In packets: what the source `sent`, what `entered` the backend from it (as many where the source
    is the backend), what the new device `carried_anew` of it, and what `arrived` at the sink's
    socket. `device` is for people: `bob eth0`, `NIC of dom0`. `is_another`: the backend's end of it
    has a number of its own.
    """

    subject: str
    device: str
    stream: InterruptedStream
    sent: int
    entered: int
    carried_anew: int
    arrived: int
    is_another: bool

    @property
    def lost(self) -> int:
        """Packets that were sent and did not arrive."""
        return self.sent - self.arrived

    @property
    def silent(self) -> dict[str, int]:
        """Packets that are missing, or too many, where nothing has happened, by place.

        What was sent once the device was back has gone by the new one, and something before that.
        """
        sent_anew = self.sent - self.stream.sent_until_back
        places = {
            "before the backend": self.sent - self.entered,
            f"before the new {self.device}": max(0, sent_anew - self.carried_anew),
        }
        return {place: packets for place, packets in places.items() if packets}
