"""TollMeter: what one slot more costs netback, beside packets of the limit, in one run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from xenlab.slots.backend import Acceptance
from xenlab.slots.layout import Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class TollCounts:
    """What netback counted of `packets`, with probes set; `zerocopy_ended` is success and fail."""

    packets: int
    frag_overflow: int
    frag_lists: int
    zerocopy_sent: int
    zerocopy_ended: int
    copies: int
    maps: int
    lost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TollRound:
    """One timed repetition, without probes: from the first packet to the last one's coming back.

    `busy_ns` is the CPU time of dom0, whose receiver compares every byte, in both kinds alike.
    """

    packets: int
    elapsed_us: int
    busy_ns: int
    lost: int


Cost = Callable[[TollRound], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Toll:
    """Packets of one layout. `accepted` is what netback must do with each of them."""

    layout: Layout
    accepted: Acceptance
    counts: TollCounts
    rounds: tuple[TollRound, ...]

    @property
    def expected(self) -> TollCounts:
        """What must have been counted."""
        packets = self.counts.packets
        return TollCounts(
            packets=packets,
            frag_overflow=packets * self.accepted.frag_overflow,
            frag_lists=packets * self.accepted.frag_overflow,
            zerocopy_sent=packets * self.accepted.zerocopy_sent,
            zerocopy_ended=packets * self.accepted.zerocopy_sent,
            copies=packets * self.accepted.copy_operations,
            maps=packets * self.accepted.mapped_slots,
            lost=0,
        )

    @property
    def lost(self) -> int:
        """Packets of the timed rounds that did not arrive intact."""
        return sum(each.lost for each in self.rounds)

    def per_thousand(self, events: int) -> int:
        """Events for each thousand packets that were counted."""
        return round(1000 * events / self.counts.packets) if self.counts.packets else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TollMeter:
    """Two kinds of packets whose rounds took turns: `plain` is the control of `taxed`."""

    subject: str
    plain: Toll
    taxed: Toll

    @property
    def time_ratio(self) -> float | None:
        """Time of a taxed packet as a multiple of a plain one's: the median of the rounds."""
        return self._ratio(lambda each: each.elapsed_us)

    @property
    def cpu_ratio(self) -> float | None:
        """The same for dom0's CPU time."""
        return self._ratio(lambda each: each.busy_ns)

    def _ratio(self, cost: Cost) -> float | None:
        pairs = zip(self.plain.rounds, self.taxed.rounds, strict=True)
        ratios = [
            cost(taxed) * plain.packets / (cost(plain) * taxed.packets)
            for plain, taxed in pairs
            if cost(plain) and taxed.packets
        ]
        return median(ratios) if ratios else None
