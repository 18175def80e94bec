"""What a driver does beside carrying packets, as numbers of one run each."""

from __future__ import annotations

from dataclasses import dataclass

# Names of tables: pages that a pool got new, and calls that look for answers of the backend.
PAGES_TAKEN = "pages taken"
PAGES_ASKED = "pages asked for"
LOOKS = "looks for answers"


@dataclass(frozen=True, slots=True, kw_only=True)
class PagesRun:
    """Packets that a guest received, of which `lost` did not arrive, and pages its pool took new.

    `pages_asked` is how often the driver asked the pool for a page, whichever it got.
    """

    subject: str
    packets: int
    lost: int
    pages_asked: int
    pages_taken: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LooksRun:
    """Packets that a guest sent, and how often it looked for answers, and found none."""

    subject: str
    packets: int
    lost: int
    looks: int
    in_vain: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiesRun:
    """What a guest's vif counts of zerocopy packets, by whether they stay in dom0 or pass it."""

    subject: str
    passed_sent: int
    passed_copied: int
    kept_sent: int
    kept_copied: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MulticastRun:
    """Who answered to all nodes' address, of all that have an address on the network."""

    subject: str
    asked: tuple[str, ...]
    answered: tuple[str, ...]
