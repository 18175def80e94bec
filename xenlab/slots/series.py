"""The series of xenlab that change what becomes of packets of many slots, as limits."""

from __future__ import annotations

from dataclasses import replace

from xenlab.slots.limits import STOCK, Limits, Relocation

COPY = "frontend-copy-to-pages"
REPACK = "frontend-repack"
NEGOTIATED = "negotiated-slots"
JOINT = "+"
SERIES = (COPY, REPACK, NEGOTIATED)

RELOCATIONS = {COPY: Relocation.COPY, REPACK: Relocation.REPACK}


def limits_with(netfront: str, netback: str, limits: Limits = STOCK) -> Limits:
    """What limits become with these series on the drivers; any other name changes nothing.

    Names may be of several series, one on top of the other, with `+` between them.

    More slots take both ends: one of the two alone is treated as stock drivers are.
    """
    front, back = (name.split(JOINT) for name in (netfront, netback))
    for name in front:
        limits = replace(limits, relocation=RELOCATIONS.get(name, limits.relocation))
    if NEGOTIATED in front and NEGOTIATED in back:
        # XEN_NETBK_SLOTS_MAX of the series: one slot is copied, and the frags of two skbs.
        slots = 1 + 2 * limits.backend_max_skb_frags
        return replace(limits, frontend_slots=slots, backend_slots=slots - 1)
    return limits
