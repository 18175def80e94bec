"""WireCost: what packets that left dom0's NIC cost dom0: bounces, maps of grants, CPU."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WireCost:
    """What one run over the wire cost.

    `bounces` are pieces that were copied for the device, `bounced_bytes` their bytes. `maps` are
    grants of guests that netback mapped, and in a strict IOMMU so many changes of its tables;
    `busy_ns` is how long dom0 was busy meanwhile.
    """

    packets: int
    bounces: int
    bounced_bytes: int
    maps: int
    busy_ns: int

    @property
    def per_thousand(self) -> float | None:
        """Bounces for each thousand packets; None if there was none."""
        return 1000 * self.bounces / self.packets if self.packets else None

    @property
    def maps_a_packet(self) -> float | None:
        """Grants mapped for each packet on the wire; None if there was none."""
        return self.maps / self.packets if self.packets else None

    @property
    def busy_us_a_packet(self) -> float | None:
        """dom0's CPU time for each packet on the wire, in us; None if there was none."""
        return self.busy_ns / self.packets / 1000 if self.packets else None
