"""LinkSight: what the nodes of a path have counted at one moment, and what is on its way there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xenlab.errors import DriverFailed, MeasurementError, WaitTimedOut
from xenlab.guest.counters import read_counters
from xenlab.guest.reading import NodeFiles, read_node_files
from xenlab.measure.counters import CounterDelta, CounterSnapshot
from xenlab.measure.hops import HopAccount, account_hops
from xenlab.measure.path import Path
from xenlab.measure.ring import RingSnapshot
from xenlab.traffic.handle import LabHandle
from xenlab.waiting import wait_until
from xenlab.xen.rings import parse_ring, ring_files

READ_S = 30.0
REST_S = 10.0
STILL_LOOKS = 10
WHAT = "the link to rest"
SENT, ENDINGS = "tx_zerocopy_sent", ("tx_zerocopy_success", "tx_zerocopy_fail")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSight:
    """Counters of every node, and of the path's vifs their rings and `ethtool -S`."""

    counters: Mapping[str, CounterSnapshot]
    rings: tuple[RingSnapshot, ...]
    statistics: Mapping[str, Mapping[str, int]]

    @property
    def unrest(self) -> str:
        """What is on its way through a ring; best nothing."""
        return "; ".join(each for ring in self.rings for each in ring.unrest)

    @property
    def held(self) -> Mapping[str, int]:
        """Zerocopy packets of each vif that have not come back (xen-netback/interface.c:389)."""
        return {
            vif: counters.get(SENT, 0) - sum(counters.get(name, 0) for name in ENDINGS)
            for vif, counters in self.statistics.items()
        }

    def vif_counter(self, vif: str, name: str) -> int:
        """A counter of `ethtool -S`. Raises MeasurementError if this netback does not have it."""
        try:
            return self.statistics[vif][name]
        except KeyError:
            raise MeasurementError(f"{vif} does not count {name}") from None

    def since(self, before: LinkSight) -> Mapping[str, CounterDelta]:
        """What each node has counted since another look."""
        return {
            node: CounterDelta(before=before.counters[node], after=counters)
            for node, counters in self.counters.items()
        }


def look(lab: LabHandle, path: Path) -> LinkSight:
    """One look at all places of a path. Raises LabError and MeasurementError."""
    deadline = lab.budget(READ_S)
    vifs = [vif for vif in (path.source.vif, path.sink.vif) if vif]
    counters = {node: read_counters(lab.shell(node), node, deadline) for node in path.nodes}
    backend = lab.shell(path.source.backend)
    files = read_node_files(backend, [ring_files(vif) for vif in vifs], vifs, deadline)
    return LinkSight(counters=counters, rings=_rings(files), statistics=files.statistics)


def look_at_rest(lab: LabHandle, path: Path) -> LinkSight:
    """A look when nothing is on its way. Zerocopy packets that were lost long ago may be held.

    Raises DriverFailed where slots stay without an answer of which netback holds no packet.
    """
    seen: list[LinkSight] = []

    def rested() -> LinkSight | None:
        seen.append(look(lab, path))
        same = [sight.held for sight in seen[-2:-1]] == [seen[-1].held]
        at_rest = not seen[-1].unrest and (same or not any(seen[-1].held.values()))
        return seen[-1] if at_rest else None

    try:
        return wait_until(rested, WHAT, lab.budget(REST_S), last_seen=lambda: seen[-1].unrest)
    except WaitTimedOut as error:
        if is_forgotten(seen):
            raise DriverFailed(f"never answered: {seen[-1].unrest}", phase="") from error
        raise


def is_forgotten(seen: Sequence[LinkSight]) -> bool:
    """Whether what is in the rings stands still, at so many looks, while no packet is out."""
    last = seen[-STILL_LOOKS:]
    still = len(last) == STILL_LOOKS and all(sight.rings == last[0].rings for sight in last)
    return still and bool(last[-1].unrest) and not any(last[-1].held.values())


def look_at_rest_again(lab: LabHandle, path: Path, before: LinkSight) -> tuple[LinkSight, str]:
    """A look once all is through that came since another look, and what never comes to rest.

    Balanced is at rest. So is what did not change between two looks: it will not come.
    """
    seen: list[LinkSight] = []
    accounts: list[HopAccount] = []

    def unrest() -> str:
        new = {vif: count - before.held.get(vif, 0) for vif, count in seen[-1].held.items()}
        held = (f"{count} zerocopy packets of {vif} are out" for vif, count in new.items() if count)
        return "; ".join(each for each in (seen[-1].unrest, *held) if each)

    def rested() -> bool:
        seen.append(look(lab, path))
        accounts.append(account_hops(path, seen[-1].since(before)))
        settled = accounts[-1].balanced or accounts[-2:-1] == accounts[-1:]
        return settled and not unrest()

    try:
        wait_until(rested, WHAT, lab.budget(REST_S), last_seen=unrest)
    except WaitTimedOut:
        # That is a finding of its own, and for rules to tell.
        return seen[-1], unrest()
    return seen[-1], ""


def _rings(files: NodeFiles) -> tuple[RingSnapshot, ...]:
    return tuple(parse_ring(path, lines) for path, lines in files.files.items())
