"""Strategies: remedies for packets of many slots, each applied in its turn and put back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from xenlab.errors import MeasurementError
from xenlab.guest.change import Change
from xenlab.guest.device_state import Feature
from xenlab.guest.settings import Settings, open_settings
from xenlab.guest.sysctl import sysctls_set
from xenlab.kernel.driver import STOCK
from xenlab.measure.strategy_trial import Effect, Strategy, StrategyCounts, StrategyRound
from xenlab.plan.model import Link
from xenlab.slots.limits import LEGACY_SLOTS
from xenlab.slots.series import COPY, NEGOTIATED, REPACK
from xenlab.traffic.drivers import DriverExchange, drivers_exchanged, parameter_set
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.iperf import IperfSpec
from xenlab.traffic.lane import LARGE_PACKETS, Lane

SERIES = "netfront-slots-limit"
SLOTS_MAX = "slots_max"
# Few enough for any split into writes of a thousand bytes: ten frags, three of them across a page.
SMALL_GSO_BYTES = 8192
SET_S = 30.0
HIGH_ORDER_OFF = {"net/core/high_order_alloc_disable": "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """A strategy, and what it sets in the sending domU; without anything it is the default.

    `netfront` and `netback` are the drivers of the two ends. The one with its limit as a parameter
    has that set to `slots_max`.
    """

    strategy: Strategy
    features: Mapping[Feature, bool] = field(default_factory=dict)
    gso_max_size_bytes: int = 0
    sysctls: Mapping[str, str] = field(default_factory=dict)
    slots_max: int = LEGACY_SLOTS
    netfront: str = SERIES
    netback: str = STOCK


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
    _remedy("frags copied to pages", COPY, Effect.RELOCATED, netfront=COPY),
    _remedy("least moved", REPACK, Effect.RELOCATED_LEAST, netfront=REPACK),
    _remedy(
        "more slots agreed upon", f"{NEGOTIATED} at both ends", Effect.FRAG_LISTS,
        netfront=NEGOTIATED, netback=NEGOTIATED,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Arena:
    """A link over which strategies are compared."""

    lab: LabHandle
    lane: Lane
    drivers: DriverExchange
    settings: Settings

    @contextmanager
    def applied(self, remedy: Remedy) -> Iterator[None]:
        """One remedy in force. Raises MeasurementError where the device does not take it."""
        deadline = self.lab.budget(SET_S)
        change = Change(
            device=self.lane.link.source_device,
            features=remedy.features,
            gso_max_size_bytes=remedy.gso_max_size_bytes,
        )
        source = self.lane.link.source
        shell = self.lab.shell(source)
        driver = self.drivers.run(remedy.netfront, remedy.netback)
        with ExitStack() as stack:
            if remedy.netfront == SERIES:
                limit = parameter_set(self.lab, source, driver, SLOTS_MAX, str(remedy.slots_max))
                stack.enter_context(limit)
            stack.enter_context(sysctls_set(shell, remedy.sysctls, self.lab.budget(SET_S)))
            try:
                changed = self.settings.apply([change], deadline)
                if changed.refused:
                    raise MeasurementError("; ".join(changed.refused))
                yield
            finally:
                self.settings.restore(self.lab.budget(SET_S))

    def time(self, spec: IperfSpec) -> StrategyRound:
        """One timed repetition of what is in force."""
        return self.lane.time(spec)

    def count(self, spec: IperfSpec) -> StrategyCounts:
        """One repetition with probes, and the packets of all hops."""
        return self.lane.count(spec)


@contextmanager
def arena(lab: LabHandle, link: Link) -> Iterator[Arena]:
    """Everything that a comparison over a link from a domU needs; put back in the end."""
    shell = lab.shell(link.source)
    with (
        drivers_exchanged(lab, link.source) as drivers,
        sysctls_set(shell, LARGE_PACKETS, lab.budget(SET_S)),
        open_settings(shell, [link.source_device], lab.budget(SET_S)) as settings,
    ):
        yield Arena(lab=lab, lane=Lane.along(lab, link), drivers=drivers, settings=settings)


def take_turns(
    arena: Arena, remedies: Sequence[Remedy], rounds: int
) -> Iterator[tuple[Remedy, bool]]:
    """Each remedy in force, once a round, and whether for the last time.

    Each round begins with another one: to change a driver may leave something behind.
    """
    for number in range(rounds):
        at = number % len(remedies)
        for remedy in (*remedies[at:], *remedies[:at]):
            with arena.applied(remedy):
                yield remedy, number == rounds - 1
