"""Change: what is to be different of a device, and the commands that make it so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from xenlab.guest.device_state import DeviceState, Feature

# RFC 8200, section 5: with less Linux takes IPv6 off a device (net/ipv6/addrconf.c:3603).
IPV6_MIN_MTU_BYTES = 1280


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be different of one device; 0 leaves a number as it was."""

    device: str
    features: Mapping[Feature, bool] = field(default_factory=dict)
    mtu_bytes: int = 0
    gso_max_size_bytes: int = 0
    gso_max_segs: int = 0

    def apply(self, base: DeviceState) -> DeviceState:
        """What the device is to be; what it cannot change stays as it is."""
        features = dict(base.features)
        for feature, on in self.features.items():
            for part in base.changeable(feature):
                features[part] = replace(features[part], wanted=on)
        return replace(
            base,
            features=features,
            mtu_bytes=self.mtu_bytes or base.mtu_bytes,
            gso_max_size_bytes=self.gso_max_size_bytes or base.gso_max_size_bytes,
            gso_max_segs=self.gso_max_segs or base.gso_max_segs,
        )

    def unmet(self, state: DeviceState) -> Iterator[str]:
        """What a device is not, although it was to be."""
        for feature, on in self.features.items():
            active = state.active(feature)
            if on and not active:
                yield f"{self.device} has {feature} off"
            if not on:
                yield from (f"{self.device} has {part} on{_why(state, part)}" for part in active)
        for name in ("mtu_bytes", "gso_max_size_bytes", "gso_max_segs"):
            wanted, is_ = getattr(self, name), getattr(state, name)
            if wanted and wanted != is_:
                yield f"{self.device} has {name} {is_}, not {wanted}"


def moves(now: DeviceState, wanted: DeviceState) -> Iterator[str]:
    """The command lines that take a device from one state to another; none if it is there.

    Features come first, for a large MTU needs scatter-gather; IPv6 last, for it needs an MTU.
    """
    device = wanted.device
    if words := _feature_words(now, wanted):
        yield f"ethtool -K {device} {' '.join(words)}"
    for name, is_, must in (
        ("mtu", now.mtu_bytes, wanted.mtu_bytes),
        ("gso_max_size", now.gso_max_size_bytes, wanted.gso_max_size_bytes),
        ("gso_max_segs", now.gso_max_segs, wanted.gso_max_segs),
    ):
        if is_ != must:
            yield f"ip link set dev {device} {name} {must}"
    if wanted.mtu_bytes >= IPV6_MIN_MTU_BYTES:
        yield from _neighbourhood_moves(now, wanted)


def touches_features(now: DeviceState, wanted: DeviceState) -> bool:
    """Whether those commands change a feature."""
    return bool(_feature_words(now, wanted))


def _feature_words(now: DeviceState, wanted: DeviceState) -> list[str]:
    return [
        f"{word} {'on' if state.wanted else 'off'}"
        for word, state in wanted.features.items()
        if now.features[word].wanted != state.wanted
    ]


def _neighbourhood_moves(now: DeviceState, wanted: DeviceState) -> Iterator[str]:
    # What an MTU that is too small takes away is still there when the commands are made.
    lost = now.mtu_bytes < IPV6_MIN_MTU_BYTES
    for address in wanted.addresses6:
        if lost or address not in now.addresses6:
            yield f"ip addr replace {address} dev {wanted.device} nodad"
    for address, mac in wanted.neighbours6:
        if lost or (address, mac) not in now.neighbours6:
            yield f"ip neigh replace {address} lladdr {mac} nud permanent dev {wanted.device}"


def _why(state: DeviceState, part: str) -> str:
    return ", which it cannot change" if state.features[part].fixed else ""
