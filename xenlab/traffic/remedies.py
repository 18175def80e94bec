"""Remedies for packets of many slots, and what of them can be laid on the drivers of a lab."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from xenlab.guest.device_state import Feature
from xenlab.kernel.driver import STOCK, DriverKind
from xenlab.measure.strategy_trial import Effect, Strategy
from xenlab.plan.model import DOM0, Link
from xenlab.slots.limits import LEGACY_SLOTS, Relocation
from xenlab.slots.series import COPY, JOINT, NEGOTIATED, REPACK, limits_with
from xenlab.traffic.drivers import LOADED
from xenlab.traffic.handle import LabHandle

SERIES = "netfront-slots-limit"
SLOTS_MAX = "slots_max"
# Few enough for any split into writes of a thousand bytes: ten frags, three of them across a page.
SMALL_GSO_BYTES = 8192
HIGH_ORDER_OFF = {"net/core/high_order_alloc_disable": "1"}
NETFRONT = frozenset({DriverKind.NETFRONT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """A strategy, and what it sets in the sending domU; without anything it is the default.

    `netfront` and `netback` are the drivers of the two ends, or LOADED. `needs` are the ends at
    which it is nothing without that driver; at the others it takes any. The netfront with its limit
    as a parameter has that set to `slots_max`; 0 leaves it as it is.
    """

    strategy: Strategy
    features: Mapping[Feature, bool] = field(default_factory=dict)
    gso_max_size_bytes: int = 0
    sysctls: Mapping[str, str] = field(default_factory=dict)
    slots_max: int = LEGACY_SLOTS
    netfront: str = SERIES
    netback: str = STOCK
    needs: frozenset[DriverKind] = frozenset()

    @property
    def drivers(self) -> Mapping[DriverKind, str]:
        """By the end that they are for."""
        return {DriverKind.NETFRONT: self.netfront, DriverKind.NETBACK: self.netback}


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
    _remedy(
        "linearise in the frontend", f"slots_max {LEGACY_SLOTS}", Effect.LINEARISED, needs=NETFRONT
    ),
    _remedy(
        "frag_list in the backend", f"slots_max {LEGACY_SLOTS + 1}", Effect.FRAG_LIST,
        slots_max=LEGACY_SLOTS + 1, needs=NETFRONT,
    ),
    _remedy("frags copied to pages", COPY, Effect.RELOCATED, netfront=COPY, needs=NETFRONT),
    _remedy("least moved", REPACK, Effect.RELOCATED_LEAST, netfront=REPACK, needs=NETFRONT),
    _remedy(
        "more slots agreed upon", f"{NEGOTIATED} at both ends", Effect.FRAG_LISTS,
        netfront=NEGOTIATED, netback=NEGOTIATED, needs=frozenset(DriverKind),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The drivers of both ends of a link from a domU as the lab came up with them, by name.

    `tested` are the ends whose driver is under test, or its control where the other side of a
    comparison has the one under test.
    """

    netfront: str = STOCK
    netback: str = STOCK
    tested: frozenset[DriverKind] = frozenset()

    @classmethod
    def of(cls, lab: LabHandle, link: Link, tried: Collection[DriverKind]) -> Loaded:
        """What a lab has loaded; any driver but the stock one is under test."""
        netfront, netback = lab.driver(link.source), lab.driver(DOM0)
        names = {DriverKind.NETFRONT: netfront, DriverKind.NETBACK: netback}
        others = frozenset(kind for kind, name in names.items() if name != STOCK)
        return cls(netfront=netfront, netback=netback, tested=others | frozenset(tried))

    @property
    def names(self) -> Mapping[DriverKind, str]:
        """By the end that they are at."""
        return {DriverKind.NETFRONT: self.netfront, DriverKind.NETBACK: self.netback}

    @property
    def effect(self) -> Effect:
        """What they make of packets of many slots, where a shipped series is among them."""
        limits = limits_with(self.netfront, self.netback)
        if limits.relocation is not Relocation.LINEARISE:
            return Effect.RELOCATED
        return Effect.FRAG_LISTS if limits.frontend_slots > LEGACY_SLOTS else Effect.LINEARISED

    def has(self, kind: DriverKind, series: str) -> bool:
        """Whether a series is on the driver of that end."""
        return series in self.names[kind].split(JOINT)

    def lay(self, remedy: Remedy) -> Remedy:
        """The remedy on what is loaded, where anything is under test; else as it is.

        Another driver is loaded only at an end where it needs one.
        """
        if not self.tested:
            return remedy
        drivers = {
            kind: name if kind in remedy.needs and not self.has(kind, name) else LOADED
            for kind, name in remedy.drivers.items()
        }
        strategy = remedy.strategy
        if not remedy.needs and strategy.effect is Effect.LINEARISED:
            setting = f"as loaded: {self.words}"
            strategy = replace(strategy, setting=setting, effect=self.effect)
        return replace(
            remedy,
            strategy=strategy,
            slots_max=remedy.slots_max if remedy.needs and remedy.netfront == SERIES else 0,
            netfront=drivers[DriverKind.NETFRONT],
            netback=drivers[DriverKind.NETBACK],
        )

    def why_not(self, remedy: Remedy) -> str:
        """Why a remedy is nothing to be measured here; empty if it is."""
        for kind in sorted(remedy.needs & self.tested):
            needed = remedy.drivers[kind]
            if not self.has(kind, needed):
                return (
                    f"it needs the {kind} {needed}, which would replace what is under test:"
                    f" {self.names[kind]}"
                )
        if not remedy.needs or not self.tested:
            return ""
        if remedy.netfront == SERIES:
            linearise = self.effect is Effect.LINEARISED
            return "" if linearise else f"{self.words} have another remedy already"
        laid = self.lay(remedy)
        same = {laid.netfront, laid.netback} == {LOADED}
        return f"it is what the default is measured with: {self.words}" if same else ""

    @property
    def words(self) -> str:
        """Both drivers by name."""
        return f"netfront {self.netfront}, netback {self.netback}"

    def words_under(self, remedy: Remedy) -> str:
        """Both drivers by name while a remedy is in force."""
        front, back = (remedy.drivers[kind] or self.names[kind] for kind in DriverKind)
        return f"netfront {front}, netback {back}"
