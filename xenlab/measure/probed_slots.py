"""The slot histogram: how many packets took how many ring slots, out of two tables of a probe.

netfront takes one reference to the skb for each slot after the first, before the slot is made
(xen-netfront.c:526), and lets go of none of them before the ring is pushed. So slot i of a packet
is made at i - 1 references more than the first, and as many packets have at least i slots.
"""

from __future__ import annotations

from collections.abc import Mapping

from xenlab.errors import MeasurementError
from xenlab.measure.readings import Growth

FIRST = "first slots"
FURTHER = "further slots"


def read_slot_histogram(growth: Growth) -> Mapping[int, int]:
    """Packets by slots, extra infos not among them; `growth` is the sending domU's.

    Raises MeasurementError where it was not counted, and where packets came with different numbers
    of references (a sender of its own kind beside the stack): their slots cannot be told apart.
    """
    first = {int(users): tally.hits for (users,), tally in growth.table(FIRST).items()}
    further = {int(users): tally.hits for (users,), tally in growth.table(FURTHER).items()}
    if not first and not further:
        return {}
    if len(first) != 1:
        raise MeasurementError(
            f"{growth.node}: packets came with {sorted(first)} references: their slots are mixed up"
        )
    ((base, packets),) = first.items()
    slots = max((users - base + 1 for users in further), default=1)
    at_least = [packets, *(further.get(base + step, 0) for step in range(1, slots)), 0]
    exactly = {i + 1: at_least[i] - at_least[i + 1] for i in range(slots)}
    if min(exactly.values()) < 0 or any(users <= base for users in further):
        raise MeasurementError(f"{growth.node}: {at_least} packets with 1, 2, .. slots cannot be")
    return {count: packets for count, packets in exactly.items() if packets}
