"""Strategies: remedies for packets of many slots, each applied in its turn and put back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from xenlab.errors import MeasurementError
from xenlab.guest.change import Change
from xenlab.guest.counters import read_counters
from xenlab.guest.cpu import read_busy_ns
from xenlab.guest.device_state import Feature
from xenlab.guest.driver import NodeDriver
from xenlab.guest.settings import Settings, open_settings
from xenlab.guest.sysctl import sysctls_set
from xenlab.measure.counters import CounterDelta, CounterSnapshot
from xenlab.measure.hops import Drop, account_hops, read_drops
from xenlab.measure.path import DropCounter, Path
from xenlab.measure.penalties import PULL_FAILED, PULLED, Penalties
from xenlab.measure.strategy_trial import Effect, Strategy, StrategyCounts, StrategyRound
from xenlab.plan.model import Link
from xenlab.slots.limits import LEGACY_SLOTS
from xenlab.traffic.drivers import netfront_replaced, parameter_set
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.iperf import IperfSpec, iperf_server, run_iperf
from xenlab.traffic.measuring import path_of
from xenlab.traffic.observing import observing
from xenlab.waiting import Deadline

SERIES = "netfront-slots-limit"
SLOTS_MAX = "slots_max"
# Few enough for any split into writes of a thousand bytes: ten frags, three of them across a page.
SMALL_GSO_BYTES = 8192
SET_S = 30.0
BYTES_A_SECOND = 500_000  # what the slowest host has been seen to do, emulated and busy
# All that is set is put back by this deadline and a little: it spans the whole comparison.
WHOLE_S = 3600.0
# TCP makes packets as large as the device takes, however long the way is: by default it halves them
# for each 512 us of its round trip (net/ipv4/tcp_output.c:1978, tcp_tso_autosize).
LARGE_PACKETS = {"net/ipv4/tcp_tso_rtt_log": "20"}
HIGH_ORDER_OFF = {"net/core/high_order_alloc_disable": "1"}
TABLES = (PULLED, PULL_FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """A strategy, and what it sets in the sending domU; without anything it is the default."""

    strategy: Strategy
    features: Mapping[Feature, bool] = field(default_factory=dict)
    gso_max_size_bytes: int = 0
    sysctls: Mapping[str, str] = field(default_factory=dict)
    slots_max: int = LEGACY_SLOTS


def _remedy(name: str, setting: str, effect: Effect, **settings: object) -> Remedy:
    return Remedy(strategy=Strategy(name=name, setting=setting, effect=effect), **settings)  # type: ignore[arg-type]


REMEDIES = (
    _remedy("default", "as the kernel comes", Effect.LINEARISED),
    _remedy(
        "gso_max_size", f"gso_max_size {SMALL_GSO_BYTES}", Effect.AVOIDED,
        gso_max_size_bytes=SMALL_GSO_BYTES,
    ),
    _remedy(
        "compound pages off", "net.core.high_order_alloc_disable=1", Effect.AVOIDED,
        sysctls=HIGH_ORDER_OFF,
    ),
    _remedy(
        "scatter-gather off", "ethtool -K eth0 sg off", Effect.AVOIDED,
        features={Feature.SCATTER: False},
    ),
    # What a stock frontend does anyway: how far this is from the default is what noise does.
    _remedy("linearise in the frontend", f"slots_max {LEGACY_SLOTS}", Effect.LINEARISED),
    _remedy(
        "frag_list in the backend", f"slots_max {LEGACY_SLOTS + 1}", Effect.FRAG_LIST,
        slots_max=LEGACY_SLOTS + 1,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Arena:
    """A link over which strategies are compared; its source runs the frontend with the limit."""

    lab: LabHandle
    link: Link
    path: Path
    driver: NodeDriver
    settings: Settings

    @contextmanager
    def applied(self, remedy: Remedy) -> Iterator[None]:
        """One remedy in force. Raises MeasurementError where the device does not take it."""
        deadline = self.lab.budget(SET_S)
        change = Change(
            device=self.link.source_device,
            features=remedy.features,
            gso_max_size_bytes=remedy.gso_max_size_bytes,
        )
        shell = self.lab.shell(self.link.source)
        with (
            parameter_set(
                self.lab, self.link.source, self.driver, SLOTS_MAX, str(remedy.slots_max)
            ),
            sysctls_set(shell, remedy.sysctls, self.lab.budget(WHOLE_S)),
        ):
            try:
                changed = self.settings.apply([change], deadline)
                if changed.refused:
                    raise MeasurementError("; ".join(changed.refused))
                yield
            finally:
                self.settings.restore(self.lab.budget(SET_S))

    def time(self, spec: IperfSpec) -> StrategyRound:
        """One timed repetition of what is in force."""
        deadline = self._deadline(spec)
        with iperf_server(self.lab.shell(self.link.sink), deadline):
            before_ns = self._busy_ns(deadline)
            result = run_iperf(self.lab.shell(self.link.source), spec, deadline)
            busy_ns = self._busy_ns(deadline) - before_ns
        return StrategyRound(
            payload_bytes=result.received_bytes, elapsed_us=result.elapsed_us, cpu_ns=busy_ns
        )

    def count(self, spec: IperfSpec) -> StrategyCounts:
        """One repetition with probes, and the packets of all hops."""
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
        return StrategyCounts(
            sent_pkts=account.packets_in,
            linearised_pkts=penalties.linearised,
            unlinearised_pkts=penalties.linearise_failed,
            frag_list_pkts=observation.source_vif_counter("tx_frag_overflow"),
            drops=_drops(self.path, deltas),
            silent_pkts=sum(hop.silent for hop in account.hops),
        )

    def _deadline(self, spec: IperfSpec) -> Deadline:
        return self.lab.budget(SET_S + spec.seconds + spec.payload_bytes / BYTES_A_SECOND)

    def _busy_ns(self, deadline: Deadline) -> int:
        return sum(read_busy_ns(self.lab.shell(node), deadline) for node in self.path.nodes)

    def _snapshots(self, deadline: Deadline) -> Mapping[str, CounterSnapshot]:
        return {
            node: read_counters(self.lab.shell(node), node, deadline) for node in self.path.nodes
        }


@contextmanager
def arena(lab: LabHandle, link: Link) -> Iterator[Arena]:
    """Everything that a comparison over a link from a domU needs; put back in the end."""
    shell = lab.shell(link.source)
    with (
        netfront_replaced(lab, link.source, SERIES, {SLOTS_MAX: str(LEGACY_SLOTS)}) as driver,
        sysctls_set(shell, LARGE_PACKETS, lab.budget(WHOLE_S)),
        open_settings(shell, [link.source_device], lab.budget(WHOLE_S)) as settings,
    ):
        yield Arena(lab=lab, link=link, path=path_of(lab, link), driver=driver, settings=settings)


def take_turns(
    arena: Arena, remedies: Sequence[Remedy], spec: IperfSpec, rounds: int
) -> Mapping[str, tuple[StrategyRound, ...]]:
    """Timed repetitions by the strategy's name; each round begins with another one."""
    taken: dict[str, tuple[StrategyRound, ...]] = {}
    for number in range(rounds):
        at = number % len(remedies)
        for remedy in (*remedies[at:], *remedies[:at]):
            with arena.applied(remedy):
                name = remedy.strategy.name
                taken[name] = (*taken.get(name, ()), arena.time(spec))
    return taken


def _drops(path: Path, deltas: Mapping[str, CounterDelta]) -> tuple[Drop, ...]:
    """Each place once, though several hops may lie around it."""
    devices = [place for place in path.sending_drops if place.device]
    places: dict[DropCounter, None] = dict.fromkeys(devices)
    places |= dict.fromkeys(place for leg in path.legs for place in leg.drop_counters)
    return read_drops(places, deltas)
