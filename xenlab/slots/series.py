"""The series of xenlab that change what becomes of packets of many slots, as limits."""

from __future__ import annotations

from dataclasses import replace

from xenlab.errors import MeasurementError
from xenlab.slots.limits import LEGACY_SLOTS, RING_SLOTS, STOCK, Limits, Relocation

COPY = "frontend-copy-to-pages"
REPACK = "frontend-repack"
NEGOTIATED = "negotiated-slots"
# netback makes one frag of slots that lie behind each other: how many it makes is its own affair.
ADJACENT = "backend-adjacent"
JOINT = "+"
SERIES = (COPY, REPACK, NEGOTIATED)

RELOCATIONS = {COPY: Relocation.COPY, REPACK: Relocation.REPACK}


def counts_relocation(netfront: str) -> bool:
    """Whether a frontend of that name has the counters `tx_relocated` and `tx_relocated_bytes`."""
    return any(name in RELOCATIONS for name in netfront.split(JOINT))


def limits_with(netfront: str, netback: str, limits: Limits = STOCK) -> Limits:
    """What limits become with these series on the drivers; any other name changes nothing.

    Names may be of several series, one on top of the other, with `+` between them.

    More slots take both ends: one of the two alone is treated as stock drivers are.
    """
    for name in netfront.split(JOINT):
        limits = replace(limits, relocation=RELOCATIONS.get(name, limits.relocation))
    if is_negotiated(netfront, netback):
        # XEN_NETBK_SLOTS_MAX of the series: one slot is copied, and the frags of two skbs.
        slots = 1 + 2 * limits.backend_max_skb_frags
        return replace(limits, frontend_slots=slots, backend_slots=slots - 1)
    return limits


def is_negotiated(netfront: str, netback: str) -> bool:
    """Whether both drivers have, by their names, to agree on more slots."""
    return all(NEGOTIATED in name.split(JOINT) for name in (netfront, netback))


def require_way_to_relocate(netfront: str) -> None:
    """Raise MeasurementError where a driver that relocates packets does not say how by its name."""
    if not any(name in RELOCATIONS for name in netfront.split(JOINT)):
        raise MeasurementError(
            f"the netfront {netfront} relocates packets of too many slots, and nothing tells"
            f" whether as {' or as '.join(RELOCATIONS)} does"
        )


def limits_agreed(offered: int, requested: int, limits: Limits) -> Limits:
    """What limits become where a backend offers so many slots, and its frontend asks for so many.

    As both ends of the series do it: what is no more than every backend takes changes nothing.
    Raises MeasurementError for an agreement that is none.
    """
    if requested <= LEGACY_SLOTS:
        return limits
    if not requested <= offered <= RING_SLOTS:
        raise MeasurementError(f"a frontend asks for {requested} slots, and {offered} are offered")
    return replace(limits, frontend_slots=requested, backend_slots=requested - 1)
