"""DisablingRun: a packet for which netback must disable the vif, between harmless ones."""

from __future__ import annotations

from dataclasses import dataclass

from xenlab.measure.layouts import Landing, Sighting
from xenlab.slots.layout import Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class DisablingRun:
    """What was seen of a batch whose packet number `fatal_index` takes more slots than may be.

    `outstanding_skbs` never came back to their sender; `carrier` is that of dom0's end afterwards;
    `told_slots` are the numbers that netback's own message gave, one each time it was printed.
    """

    source: str
    sink: str
    layout: Layout
    slots: int
    fatal_index: int
    sightings: tuple[Sighting, ...]
    outstanding_skbs: int
    carrier: bool
    told_slots: tuple[int, ...]

    @property
    def subject(self) -> str:
        """For verdicts."""
        return f"{self.source} -> {self.sink}"

    @property
    def before(self) -> tuple[Sighting, ...]:
        """The packets that were sent first."""
        return self.sightings[: self.fatal_index]

    @property
    def arrived_before(self) -> int:
        """How many of those arrived as they were sent."""
        return sum(one.landing is Landing.WHOLE for one in self.before)

    @property
    def arrived_after(self) -> int:
        """How many arrived of the fatal packet and those behind it, in whatever state."""
        behind = self.sightings[self.fatal_index :]
        return sum(one.landing is not Landing.MISSING for one in behind)
