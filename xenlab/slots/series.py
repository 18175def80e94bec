"""The series of xenlab that change what becomes of packets of many slots, as limits."""

from __future__ import annotations

from dataclasses import replace

from xenlab.slots.limits import STOCK, Limits, Relocation

COPY = "frontend-copy-to-pages"
REPACK = "frontend-repack"
NEGOTIATED = "negotiated-slots"
SERIES = (COPY, REPACK, NEGOTIATED)

RELOCATIONS = {COPY: Relocation.COPY, REPACK: Relocation.REPACK}


def limits_with(netfront: str, netback: str, limits: Limits = STOCK) -> Limits:
    """What limits become with these series on the drivers; any other name changes nothing.

    More slots take both ends: one of the two alone is treated as stock drivers are.
    """
    if netfront in RELOCATIONS:
        return replace(limits, relocation=RELOCATIONS[netfront])
    if netfront == netback == NEGOTIATED:
        # XEN_NETBK_SLOTS_MAX of the series: one slot is copied, and the frags of two skbs.
        slots = 1 + 2 * limits.backend_max_skb_frags
        return replace(limits, frontend_slots=slots, backend_slots=slots - 1)
    return limits
