"""PvMemory: how the memory of a PV domain lies for a device."""

from __future__ import annotations

from enum import StrEnum


class PvMemory(StrEnum):
    """What is contiguous for a PV domain's kernel may be any pages of the machine.

    FRESH is as Xen built it, almost all in one piece. SCATTERED was given back and taken anew page
    by page.
    """

    FRESH = "fresh"
    SCATTERED = "scattered"
