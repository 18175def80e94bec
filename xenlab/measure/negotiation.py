"""VifNegotiation: what both ends of one vif wrote into xenstore."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum


class XenbusState(IntEnum):
    """Values of a device's `state` key (xen/include/public/io/xenbus.h)."""

    UNKNOWN = 0
    INITIALISING = 1
    INIT_WAIT = 2
    INITIALISED = 3
    CONNECTED = 4
    CLOSING = 5
    CLOSED = 6
    RECONFIGURING = 7
    RECONFIGURED = 8

    def __str__(self) -> str:
        """Such as `Connected(4)`, as the field writes it."""
        return f"{self.name.title().replace('_', '')}({self.value})"


@dataclass(frozen=True, slots=True, kw_only=True)
class VifEnd:
    """One end's keys as they stand in xenstore, without `state`."""

    state: XenbusState
    keys: Mapping[str, str]

    def feature(self, key: str) -> bool:
        """Whether a feature is offered or asked for; an absent key means no.

        Source: xen/include/public/io/netif.h.
        """
        return self.keys.get(key, "0") not in {"", "0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class VifNegotiation:
    """Backend and frontend of one vif; an end that is absent from xenstore is None."""

    vif: str
    backend: VifEnd | None
    frontend: VifEnd | None
