"""StrategyTable: the remedies for packets of many slots, side by side with the default."""

from __future__ import annotations

from dataclasses import dataclass

THOUSAND = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyRow:
    """One strategy as it was measured.

    Goodput (the median), payload and `cpu_ns`, the host's CPU time for the whole machine (of the
    nodes, where the host tells nothing), are of the timed repetitions; the packets are of another
    one, with probes. `frag_list_pkts` counts `tx_frag_overflow`, `drops_pkts` all that was lost, at
    named places or not. Relocated are packets of which a patched frontend copied some bytes, or
    all, to other pages.
    """

    name: str
    setting: str
    goodput_bps: float
    payload_bytes: int
    cpu_ns: int
    sent_pkts: int
    linearised_pkts: int
    relocated_pkts: int
    relocated_bytes: int
    frag_list_pkts: int
    drops_pkts: int

    @property
    def cpu_ns_per_byte(self) -> float | None:
        """None where nothing arrived."""
        return self.cpu_ns / self.payload_bytes if self.payload_bytes else None

    @property
    def linearised_per_thousand(self) -> float | None:
        """None where nothing was sent."""
        return self._per_thousand(self.linearised_pkts)

    @property
    def relocated_per_thousand(self) -> float | None:
        """None where nothing was sent."""
        return self._per_thousand(self.relocated_pkts)

    @property
    def bytes_a_relocated_packet(self) -> float | None:
        """What was copied of each; None where none was relocated."""
        return self.relocated_bytes / self.relocated_pkts if self.relocated_pkts else None

    @property
    def frag_list_per_thousand(self) -> float | None:
        """None where nothing was sent."""
        return self._per_thousand(self.frag_list_pkts)

    def _per_thousand(self, packets: int) -> float | None:
        return packets * THOUSAND / self.sent_pkts if self.sent_pkts else None


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyTable:
    """Strategies of one run over one link. The first is the default, the control of the others."""

    subject: str
    rows: tuple[StrategyRow, ...]

    def throughput_ratio(self, row: StrategyRow) -> float | None:
        """A strategy's goodput as a multiple of the default's; None where that has none."""
        default_bps = self.rows[0].goodput_bps
        return row.goodput_bps / default_bps if default_bps else None
