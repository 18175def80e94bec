"""Natural slots: what packets came to the frontend with whose layout the network stack decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from xenlab.errors import MeasurementError
from xenlab.measure.observation import Observation
from xenlab.measure.probed_slots import read_slot_histogram
from xenlab.measure.slot_histogram import SlotHistogram, build_histogram
from xenlab.slots.fate import Fate
from xenlab.slots.limits import Limits

# Packets that came with too many slots, by slots and bytes: see xenlab/guest/dynamic_debug.py.
ROCKETS = "rockets"


@dataclass(frozen=True, slots=True, kw_only=True)
class NaturalSlots:
    """Packets by the slots that they took on the ring, and, of those linearised, by what they had.

    `came_with` has slots and bytes as keys.
    """

    subject: str
    ring: Mapping[int, int]
    came_with: Mapping[tuple[int, int], int]

    @property
    def linearised(self) -> int:
        """Packets that had too many slots."""
        return sum(self.came_with.values())

    @property
    def packets(self) -> int:
        """All that went over the ring."""
        return sum(self.ring.values())

    def linearised_from(self, least_bytes: int) -> Mapping[int, int]:
        """Those of them that were so long, by slots."""
        found: Counter[int] = Counter()
        for (slots, length_bytes), packets in self.came_with.items():
            if length_bytes >= least_bytes:
                found[slots] += packets
        return found

    def histogram(self, limits: Limits) -> SlotHistogram:
        """Packets by the slots that they came with: those on the ring, the linearised put back.

        One that was linearised is in the ring's count with the fewest slots that its bytes fit
        into, or one more; the fewer are taken away first. Raises MeasurementError.
        """
        left = Counter(self.ring)
        packets: Counter[tuple[int, Fate]] = Counter()
        for (slots, length_bytes), count in self.came_with.items():
            packets[slots, Fate.LINEARISED] += count
            fewest = -(-length_bytes // 4096)
            taken = min(count, left[fewest])
            left[fewest] -= taken
            left[fewest + 1] -= count - taken
        for slots, count in left.items():
            if count < 0:
                raise MeasurementError(
                    f"{self.subject}: {-count} packets of {slots} slots were linearised and unseen"
                )
            packets[slots, Fate.INTACT] += count
        return build_histogram(self.subject, packets, limits)


def read_natural_slots(subject: str, observation: Observation) -> NaturalSlots:
    """What probes and debug lines of the source tell. Raises MeasurementError.

    Each linearised packet has one line: a log that tells of others than the probes has lost some.
    """
    table = observation.source.table(ROCKETS)
    natural = NaturalSlots(
        subject=subject,
        ring=read_slot_histogram(observation.source),
        came_with={(int(key[0]), int(key[1])): tally.hits for key, tally in table.items()},
    )
    told = observation.source.counter("line rides the rocket")
    if told != natural.linearised:
        raise MeasurementError(f"{subject}: {told} debug lines, {natural.linearised} understood")
    return natural
