"""LinkSight: what the nodes of a path have counted at one moment, and what is on its way there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from xenlab.errors import DriverFailed, MeasurementError, WaitTimedOut
from xenlab.guest.counters import read_counters_and_files
from xenlab.guest.reading import NodeFiles
from xenlab.measure.counters import CounterDelta, CounterSnapshot
from xenlab.measure.hops import HopAccount, account_hops
from xenlab.measure.path import Path
from xenlab.measure.ring import RingSnapshot
from xenlab.together import on_all
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
    """One look at all places of a path. Raises LabError, and MeasurementError for what is not told.

    A vif whose rings and zerocopy packets nobody tells of is not at rest.
    """
    deadline = lab.budget(READ_S)
    vifs = [vif for vif in (path.source.vif, path.sink.vif) if vif]
    patterns = [ring_files(vif) for vif in vifs]

    def look_at(node: str) -> tuple[CounterSnapshot, NodeFiles]:
        files, devices = (patterns, vifs) if node == path.source.backend else ([], [])
        return read_counters_and_files(lab.shell(node), node, files, devices, deadline)

    seen = on_all(look_at, path.nodes)
    counters = {node: snapshot for node, (snapshot, _files) in seen.items()}
    files = seen[path.source.backend][1]
    sight = LinkSight(counters=counters, rings=_rings(files), statistics=files.statistics)
    for vif in vifs:
        if not any(ring.vif == vif for ring in sight.rings):
            raise MeasurementError(f"{vif}: no ring of it is told of ({ring_files(vif)})")
        for name in (SENT, *ENDINGS):
            sight.vif_counter(vif, name)
    return sight


def look_at_rest(lab: LabHandle, path: Path) -> LinkSight:
    """A look when nothing is on its way. Zerocopy packets that were lost long ago may be held.

    Raises DriverFailed where slots stay without an answer, whether or not netback holds packets of
    theirs: they were sent by somebody, and nobody gives them back.
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
        if stands_still(seen):
            left = "; ".join((seen[-1].unrest, *_tell_held(seen[-1].held)))
            raise DriverFailed(f"never answered: {left}", phase="") from error
        raise


def stands_still(seen: Sequence[LinkSight]) -> bool:
    """Whether something is on its way in the rings and, at so many looks, gets no further."""
    last = seen[-STILL_LOOKS:]
    same = all((sight.rings, sight.held) == (last[0].rings, last[0].held) for sight in last)
    return len(last) == STILL_LOOKS and same and bool(last[-1].unrest)


def look_at_rest_again(lab: LabHandle, path: Path, before: LinkSight) -> tuple[LinkSight, str]:
    """A look once all is through that came since another look, and what never comes to rest.

    Balanced is at rest. So is what did not change between two looks: it will not come.
    """
    seen: list[LinkSight] = []
    accounts: list[HopAccount] = []

    def unrest() -> str:
        new = {vif: count - before.held.get(vif, 0) for vif, count in seen[-1].held.items()}
        return "; ".join(each for each in (seen[-1].unrest, *_tell_held(new)) if each)

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


def _tell_held(held: Mapping[str, int]) -> Iterator[str]:
    return (f"{count} zerocopy packets of {vif} are out" for vif, count in held.items() if count)


def _rings(files: NodeFiles) -> tuple[RingSnapshot, ...]:
    return tuple(parse_ring(path, lines) for path, lines in files.files.items())
