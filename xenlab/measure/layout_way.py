"""LayoutWay: a run's packets as they were counted at every device on their way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xenlab.measure.attachment import Role
from xenlab.measure.counters import CounterDelta
from xenlab.measure.hops import Drop, HopAccount, account_hops, read_drops
from xenlab.measure.path import Path, drops_before, drops_behind

# What a frontend refuses is foretold, and compared with what was: see LayoutCounters.
FORETOLD = "tx_dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutWay:
    """The hops between the devices, and what was dropped before the first and behind the last.

    `unrest` says what was still on its way when nothing moved any more; best nothing.
    """

    account: HopAccount
    first_drops: tuple[Drop, ...] = ()
    last_drops: tuple[Drop, ...] = ()
    unrest: str = ""


def read_way(
    path: Path, deltas: Mapping[str, CounterDelta], unrest: str, *, cut: bool = False
) -> LayoutWay:
    """The way along a path between devices. Raises MeasurementError if a counter is absent.

    `cut`: GSO ends on the way, at a NIC.
    """
    first, last = path.legs[0].start, path.legs[-1].end
    before = drops_before(first)
    if first.role is Role.NETFRONT:
        before = tuple(place for place in before if place.counter != FORETOLD)
    return LayoutWay(
        account=account_hops(path, deltas, streams=cut),
        first_drops=read_drops(before, deltas),
        last_drops=read_drops(drops_behind(last), deltas),
        unrest=unrest,
    )
