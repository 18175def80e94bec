"""InterruptedStream: numbered datagrams while something on their way is away, and returns."""

from __future__ import annotations

from dataclasses import dataclass

from xenlab.measure.flow import UdpFlow


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptedStream:
    """What became of a stream, in datagrams of one packet each.

    `arrived_before` were there when the order was given to take something away, and
    `sent_until_back` packets had been sent when what came back carried packets.
    """

    flow: UdpFlow
    arrived_before: int
    sent_until_back: int

    @property
    def never_sent(self) -> int:
        """Datagrams that the source's kernel did not take: there was no way to the sink."""
        return len(self.flow.spec.sizes_bytes) - self.flow.sent

    @property
    def untimely(self) -> tuple[int, ...]:
        """Missing datagrams that were sent while nothing was away.

        Where the source's kernel did not take some, a datagram's index is that much higher than the
        number of packets sent before it.
        """
        last = self.sent_until_back + self.never_sent
        return tuple(i for i in self.flow.missing_indexes if not self.arrived_before <= i < last)

    @property
    def sent_after(self) -> int:
        """How many datagrams were sent when all was well again."""
        return len(self.flow.spec.sizes_bytes) - self.sent_until_back - self.never_sent
