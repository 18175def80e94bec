"""RatedRun: packets of a guest under a rate limit, how long they took, how often it was polled."""

from __future__ import annotations

from dataclasses import dataclass

# The name of the table: calls of a vif's NAPI poll function.
POLLS = "napi polls"


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedRun:
    """A run with or without a limit, in the sender's own time; `lost` did not arrive whole."""

    packets: int
    payload_bytes: int
    lost: int
    elapsed_us: int
    polls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RateTrial:
    """The same packets without a limit and with it.

    `burst_bytes` may go at once: what netback lets a queue save up, and the credit it has already.
    """

    subject: str
    bytes_per_s: float
    burst_bytes: int
    free: RatedRun
    limited: RatedRun

    @property
    def least_us(self) -> float:
        """What the packets take at least under the limit."""
        return 1e6 * max(0, self.limited.payload_bytes - self.burst_bytes) / self.bytes_per_s
