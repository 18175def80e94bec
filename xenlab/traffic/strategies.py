"""Strategies: remedies for packets of many slots, each applied in its turn and put back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from xenlab.errors import MeasurementError
from xenlab.guest.change import Change
from xenlab.guest.settings import Settings, open_settings
from xenlab.guest.sysctl import sysctls_set
from xenlab.measure.strategy_trial import StrategyCounts, StrategyRound
from xenlab.plan.model import Link
from xenlab.traffic.drivers import LOADED, DriverExchange, drivers_exchanged, parameter_set
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.iperf import IperfSpec
from xenlab.traffic.lane import LARGE_PACKETS, Lane
from xenlab.traffic.remedies import SERIES, SLOTS_MAX, Remedy

SET_S = 30.0


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
            if remedy.slots_max and remedy.netfront in {SERIES, LOADED}:
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

    def count(self, spec: IperfSpec, remedy: Remedy) -> StrategyCounts:
        """One repetition of a remedy in force, with probes, and the packets of all hops."""
        loaded = self.lab.driver(self.lane.link.source)
        return self.lane.count(spec, loaded if remedy.netfront == LOADED else remedy.netfront)


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
