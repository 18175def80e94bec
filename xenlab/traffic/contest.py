"""A contest at work: in one lab, the drivers of both sides take turns under the same streams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from xenlab.errors import DriverFailed, MeasurementError
from xenlab.guest.driver import NodeDriver, push_driver
from xenlab.guest.sysctl import sysctls_set
from xenlab.kernel.driver import Driver
from xenlab.measure.contest import BASE, PATCHED, Bout, Contest
from xenlab.measure.strategy_trial import StrategyCounts, StrategyRound
from xenlab.traffic.consoles import await_consoles
from xenlab.traffic.drivers import put_in_drivers, take_out_drivers
from xenlab.traffic.guests import link_from_domu
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.iperf import IperfSpec
from xenlab.traffic.lane import LARGE_PACKETS, Lane
from xenlab.traffic.turn_watch import TurnWatch

PUSH_S = 60.0
# The fewest that tell a difference with a confidence of 95 %, and an even number, so that the lab
# ends with the drivers that it came with.
ROUNDS = 6
SECONDS = 2
COUNTED_BYTES = 2_000_000
# As of the suite `strategies`: two streams in turns make packets of more than 18 slots.
STREAMS = 2
WRITE_BYTES = 1000


@dataclass(slots=True, kw_only=True)
class Ring:
    """A lane, both sides' drivers, and who watches the consoles and knows which are loaded."""

    lane: Lane
    sides: Mapping[str, Mapping[str, NodeDriver]]
    watch: TurnWatch
    counts: dict[str, StrategyCounts] = field(default_factory=dict)

    def take(self, side: str, load: IperfSpec) -> StrategyRound:
        """One timed repetition of a side; of its first also the packets, in another repetition."""
        if self.watch.loaded != side:
            self._swap(side)
        taken = self.lane.time(load)
        if side not in self.counts:
            counted = replace(load, payload_bytes=COUNTED_BYTES)
            self.counts[side] = self.lane.count(counted, self._netfront(side))
        self.watch.end_turn()
        return taken

    def _netfront(self, side: str) -> str:
        """The name of the netfront of a side: the lab's own where both have the same."""
        source = self.lane.link.source
        changed = self.sides[side].get(source)
        return changed.name if changed else self.lane.lab.driver(source)

    def _swap(self, side: str) -> None:
        """Load a side's drivers once the other's are out, which are to blame up to then."""
        lab, drivers = self.lane.lab, self.sides[side]
        try:
            take_out_drivers(lab, drivers)
            self.watch.pass_to(side)
            put_in_drivers(lab, drivers, {})
        except DriverFailed as error:
            if self.watch.loaded == PATCHED:
                raise
            raise MeasurementError(f"the {BASE}: {error.what}") from error


def hold_contest(
    lab: LabHandle,
    base: Mapping[str, Driver],
    patched: Mapping[str, Driver],
    watch: TurnWatch,
    seconds: int = SECONDS,
) -> Contest:
    """Compare two sets of drivers in a lab that runs the patched ones, and does so afterwards.

    Sides change places from bout to bout: what drifts is in both alike, and half of the time the
    drivers need not be changed. A repetition moves what the patched side moves in so many seconds.
    Raises LabError, MeasurementError or KernelFault, and DriverFailed where the patched side's are
    not let go; `watch` knows whose drivers were loaded then.
    """
    link = link_from_domu(lab.plan)
    load = IperfSpec(address=link.sink_address4, streams=STREAMS, write_bytes=WRITE_BYTES)
    nodes = [node for node in patched if patched[node].build_id != base[node].build_id]
    sides = {
        side: {node: push_driver(lab.shell(node), each[node], lab.budget(PUSH_S)) for node in nodes}
        for side, each in ((BASE, base), (PATCHED, patched))
    }
    ring = Ring(lane=Lane.along(lab, link), sides=sides, watch=watch)
    with sysctls_set(lab.shell(link.source), LARGE_PACKETS, lab.budget(PUSH_S)):
        load = _weigh(ring.lane, load, seconds)
        bouts = tuple(_hold_bout(ring, load, patched_first=not n % 2) for n in range(ROUNDS))
        await_consoles(lab)  # of the last turn's words too it is known whose they are
    subject = f"{link.source} -> {link.sink}, {STREAMS} streams in turns"
    return Contest(
        subject=subject, bouts=bouts, base=ring.counts[BASE], patched=ring.counts[PATCHED]
    )


def _weigh(lane: Lane, load: IperfSpec, seconds: int) -> IperfSpec:
    """The load with what the patched side moves in that time: the same for every repetition.

    To start it costs CPU time however much arrives, which would be more a byte where that is less.
    """
    moved = lane.time(replace(load, seconds=seconds)).payload_bytes
    return replace(load, payload_bytes=max(moved, COUNTED_BYTES))


def _hold_bout(ring: Ring, load: IperfSpec, *, patched_first: bool) -> Bout:
    order = (PATCHED, BASE) if patched_first else (BASE, PATCHED)
    taken = {side: ring.take(side, load) for side in order}
    return Bout(base=taken[BASE], patched=taken[PATCHED])
