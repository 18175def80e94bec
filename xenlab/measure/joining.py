"""Joining: slots of a guest's compound page that netback presents as one frag, and what DMA does.

The first idea of the source document for packets of many slots: map the guest's compound pages to
adjacent pages in the backend. The series `backend-adjacent` does so. Whether a device can read what
was joined in one go depends on where the guest's memory lies, if dom0 is PV, and on nothing if
dom0's memory is translated for devices as well.
"""

from __future__ import annotations

from dataclasses import dataclass

from xenlab.measure.pv_memory import PvMemory
from xenlab.measure.wire_cost import WireCost

# Of the series, by `ethtool -S` of the vif.
JOINED, APART = "tx_slots_joined", "tx_slots_apart"


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinCell(WireCost):
    """One run over the wire with slots joined, or each a frag of its own.

    `slots_joined` became part of the frag before them; `slots_apart` go on where the one before
    them ended and are a frag of their own.
    """

    source: str
    sink: str
    memory: PvMemory
    joining: bool
    translated: bool
    slots_joined: int
    slots_apart: int

    @property
    def setting(self) -> str:
        """What makes this cell another than its neighbours."""
        return f"{self.memory} guest, slots {'joined' if self.joining else 'apart'}"

    @property
    def subject(self) -> str:
        """The cell in a few words."""
        return f"{self.source} -> {self.sink}, {self.setting}"

    @property
    def straddles(self) -> bool:
        """Whether a device cannot read each frag of this cell in one go."""
        return self.joining and not self.translated and self.memory is PvMemory.SCATTERED

    @property
    def joined_of_adjoining(self) -> float | None:
        """The share of slots that go on where the last one ended which were joined to it."""
        adjoining = self.slots_joined + self.slots_apart
        return self.slots_joined / adjoining if adjoining else None

    @property
    def bounces_a_join(self) -> float | None:
        """Copies for the device for each slot that was joined; None if there was none."""
        return self.bounces / self.slots_joined if self.slots_joined else None


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinTable:
    """All cells of one lab."""

    subject: str
    cells: tuple[JoinCell, ...]
