"""Lane: a link over which streams are timed, and their packets counted in a run of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xenlab.guest.counters import read_counters
from xenlab.guest.cpu import read_busy_ns
from xenlab.measure.counters import CounterDelta, CounterSnapshot
from xenlab.measure.hops import Drop, account_hops, read_drops
from xenlab.measure.load import find_overruns
from xenlab.measure.observation import Observation
from xenlab.measure.path import DropCounter, Path
from xenlab.measure.penalties import PULL_FAILED, PULLED, Penalties
from xenlab.measure.strategy_trial import StrategyCounts, StrategyRound
from xenlab.plan.model import Link
from xenlab.slots.series import counts_relocation
from xenlab.together import on_all
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.iperf import IperfSpec, iperf_server, run_iperf
from xenlab.traffic.measuring import path_of
from xenlab.traffic.observing import observing
from xenlab.waiting import Deadline

SET_S = 30.0
BYTES_A_SECOND = 100_000  # what the slowest host has been seen to do, emulated and busy
# TCP makes packets as large as the device takes, however long the way is: by default it halves them
# for each 512 us of its round trip (net/ipv4/tcp_output.c:1978, tcp_tso_autosize).
LARGE_PACKETS = {"net/ipv4/tcp_tso_rtt_log": "20"}
TABLES = (PULLED, PULL_FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A link, and the devices that its packets pass."""

    lab: LabHandle
    link: Link
    path: Path

    @classmethod
    def along(cls, lab: LabHandle, link: Link) -> Lane:
        """The lane over a link."""
        return cls(lab=lab, link=link, path=path_of(lab, link))

    def time(self, spec: IperfSpec) -> StrategyRound:
        """One timed repetition."""
        deadline = self._deadline(spec)
        with iperf_server(self.lab.shell(self.link.sink), deadline):
            before_ns = self._busy_ns(deadline)
            result = run_iperf(self.lab.shell(self.link.source), spec, deadline)
            busy_ns = self._busy_ns(deadline) - before_ns
        return StrategyRound(
            payload_bytes=result.received_bytes, elapsed_us=result.elapsed_us, cpu_ns=busy_ns
        )

    def count(self, spec: IperfSpec, netfront: str) -> StrategyCounts:
        """One repetition with probes, and the packets of all hops.

        `netfront` is the name of the driver that the source runs, such as `stock`.
        """
        deadline = self._deadline(spec)
        with (
            observing(self.lab, self.link, probes=True, tables=TABLES) as observer,
            iperf_server(self.lab.shell(self.link.sink), deadline),
        ):
            before = self._snapshots(deadline)
            run_iperf(self.lab.shell(self.link.source), spec, deadline)
            observation = observer.read()
            after = self._snapshots(deadline)
        deltas = {node: CounterDelta(before=before[node], after=after[node]) for node in before}
        account = account_hops(self.path, deltas)
        penalties = Penalties(observation=observation)
        drops = _drops(self.path, deltas)
        return StrategyCounts(
            sent_pkts=account.packets_in,
            linearised_pkts=penalties.linearised,
            unlinearised_pkts=penalties.linearise_failed,
            relocated_pkts=count_relocated(observation, netfront, "tx_relocated"),
            relocated_bytes=count_relocated(observation, netfront, "tx_relocated_bytes"),
            frag_list_pkts=observation.source_vif_counter("tx_frag_overflow"),
            drops=drops,
            silent_pkts=sum(hop.silent for hop in account.hops),
            overruns=find_overruns(drops, self.path.sink.vif),
            unrest=observation.unrest,
        )

    def _deadline(self, spec: IperfSpec) -> Deadline:
        return self.lab.budget(SET_S + spec.seconds + spec.payload_bytes / BYTES_A_SECOND)

    def _busy_ns(self, deadline: Deadline) -> int:
        """As the host counts it for the whole machine, which no other work of its gets into.

        As the nodes do, where it tells nothing.
        """
        told_ns = self.lab.machine_busy_ns()
        if told_ns is not None:
            return told_ns
        return sum(read_busy_ns(self.lab.shell(node), deadline) for node in self.path.nodes)

    def _snapshots(self, deadline: Deadline) -> Mapping[str, CounterSnapshot]:
        return on_all(
            lambda node: read_counters(self.lab.shell(node), node, deadline), self.path.nodes
        )


def count_relocated(observation: Observation, netfront: str, counter: str) -> int:
    """What only frontends tell that relocate packets; 0 of another that does not tell it.

    Raises MeasurementError where one that relocates did not count.
    """
    if counts_relocation(netfront):
        return observation.device_counter(counter)
    return observation.source.counters.get(f"{observation.from_end.device} {counter}", 0)


def _drops(path: Path, deltas: Mapping[str, CounterDelta]) -> tuple[Drop, ...]:
    """Each place once, though several hops may lie around it."""
    devices = [place for place in path.sending_drops if place.device]
    places: dict[DropCounter, None] = dict.fromkeys(devices)
    places |= dict.fromkeys(place for leg in path.legs for place in leg.drop_counters)
    return read_drops(places, deltas)
