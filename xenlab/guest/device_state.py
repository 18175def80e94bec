"""DeviceState: a device's features, limits and IPv6 neighbours, as ip and ethtool tell them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from xenlab.errors import MeasurementError
from xenlab.guest.answer import Answer

# Between the parts of an answer.
MARK = "=="
# What `ethtool -K` has another word for than `ethtool -k` (ethtool.c, off_flag_def).
WORDS = {
    "rx-checksumming": "rx",
    "generic-segmentation-offload": "gso",
    "generic-receive-offload": "gro",
    "large-receive-offload": "lro",
    "rx-vlan-offload": "rxvlan",
    "tx-vlan-offload": "txvlan",
    "ntuple-filters": "ntuple",
    "receive-hashing": "rxhash",
}
# These lines only sum up the ones below them.
SUMS = frozenset({"tx-checksumming", "scatter-gather", "tcp-segmentation-offload"})

_LINE = re.compile(
    r"\s*(?P<name>[\w-]+): (?P<active>on|off)(?: \[(?P<note>fixed|requested (?P<wanted>on|off))\])?"
)


class Feature(StrEnum):
    """An offload as ethtool's short words have it; each stands for one word or more."""

    CHECKSUM = "tx"
    CHECKSUM4 = "tx-checksum-ipv4"
    CHECKSUM6 = "tx-checksum-ipv6"
    SCATTER = "sg"
    TSO = "tso"
    GSO = "gso"
    GRO = "gro"

    @property
    def parts(self) -> tuple[str, ...]:
        """The words that it sums up; a device need not have all of them."""
        return _PARTS[self]


# ethtool's own sums, as far as the devices of a Xen network have them: a bridge has its checksum
# as one word for all protocols.
_PARTS = {
    Feature.CHECKSUM: ("tx-checksum-ipv4", "tx-checksum-ipv6", "tx-checksum-ip-generic"),
    Feature.CHECKSUM4: ("tx-checksum-ipv4",),
    Feature.CHECKSUM6: ("tx-checksum-ipv6",),
    Feature.SCATTER: ("tx-scatter-gather",),
    Feature.TSO: ("tx-tcp-segmentation", "tx-tcp6-segmentation"),
    Feature.GSO: ("gso",),
    Feature.GRO: ("gro",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureState:
    """One word of ethtool's: what was asked for, what is in force, whether it can be changed."""

    wanted: bool
    active: bool
    fixed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceState:
    """A device at one moment.

    `addresses6` are those that were set, as ADDRESS/PREFIX, and `neighbours6` the permanent ones
    with their MACs: an MTU below 1280 takes both away (net/ipv6/addrconf.c, addrconf_notify).
    `bridge` is the one that it is a port of, if any.
    Neighbours are sorted: the kernel lists them in the order of its hash table, which changes.
    """

    device: str
    mtu_bytes: int
    gso_max_size_bytes: int
    gso_max_segs: int
    features: Mapping[str, FeatureState]
    addresses6: tuple[str, ...] = ()
    neighbours6: tuple[tuple[str, str], ...] = ()
    bridge: str = ""

    def active(self, feature: Feature) -> tuple[str, ...]:
        """The parts of a feature that are in force."""
        return tuple(part for part in self._parts(feature) if self.features[part].active)

    def changeable(self, feature: Feature) -> tuple[str, ...]:
        """The parts of a feature that the device lets be changed."""
        return tuple(part for part in self._parts(feature) if not self.features[part].fixed)

    def _parts(self, feature: Feature) -> tuple[str, ...]:
        return tuple(part for part in feature.parts if part in self.features)


def parse_features(what: str, lines: Sequence[str]) -> Mapping[str, FeatureState]:
    """The features in the output of `ethtool -k`. Raises MeasurementError if there are none."""
    found: dict[str, FeatureState] = {}
    for line in lines:
        match = _LINE.fullmatch(line.rstrip())
        if match and match["name"] not in SUMS:
            wanted = match["wanted"] or match["active"]
            found[WORDS.get(match["name"], match["name"])] = FeatureState(
                wanted=wanted == "on",
                active=match["active"] == "on",
                fixed=match["note"] == "fixed",
            )
    if not found:
        raise MeasurementError(f"{what}: `ethtool -k` told of no feature")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a node said: to each command, of its links and neighbours, and of features by device."""

    node: str
    commands: tuple[str, ...]
    links: tuple[Answer, ...]
    neighbours: tuple[Answer, ...] | None
    features: Mapping[str, Mapping[str, FeatureState]]


def split_answer(node: str, text: str, commands: int, devices: Sequence[str]) -> Answered:
    """The parts of an answer, marks between them. Raises MeasurementError."""
    head, *parts = text.split(f"{MARK}\n")
    answers = tuple(head.splitlines())
    if len(parts) != len(devices) + 2 or len(answers) != commands:
        raise MeasurementError(f"{node}: {commands} commands were answered {text[:400]!r}")
    links, neighbours, *features = parts
    return Answered(
        node=node,
        commands=answers,
        links=_parse_list(f"links of {node}", links),
        neighbours=_parse_list(f"neighbours of {node}", neighbours) if neighbours.strip() else None,
        features={
            device: parse_features(f"{node} {device}", part.splitlines())
            for device, part in zip(devices, features, strict=True)
        },
    )


def parse_states(
    answered: Answered, known: Mapping[str, DeviceState | None]
) -> Mapping[str, DeviceState]:
    """These devices as they are now; what was not read again is as it was known to be.

    Raises MeasurementError for a device that is not there, or not to be understood.
    """
    links = {link.text("ifname"): link for link in answered.links if "ifname" in link.fields}
    if missing := set(known) - set(links):
        raise MeasurementError(f"{answered.node} has no device {', '.join(sorted(missing))}")
    return {device: _parse_state(links[device], answered, was) for device, was in known.items()}


def _parse_state(link: Answer, answered: Answered, was: DeviceState | None) -> DeviceState:
    device = link.text("ifname")
    neighbours = answered.neighbours
    features = was.features if was else {}
    features = answered.features.get(device, features)
    if not features:
        raise MeasurementError(f"{answered.node}: nobody read the features of {device}")
    return DeviceState(
        device=device,
        mtu_bytes=link.integer("mtu"),
        gso_max_size_bytes=link.integer("gso_max_size"),
        gso_max_segs=link.integer("gso_max_segs"),
        features=features,
        addresses6=tuple(_addresses6(link)),
        bridge=link.text("master") if "master" in link.fields else "",
        neighbours6=was.neighbours6
        if neighbours is None and was
        else tuple(sorted(_neighbours6(device, neighbours or ()))),
    )


def _addresses6(link: Answer) -> Iterator[str]:
    for address in link.nested_list("addr_info"):
        if address.text("family") == "inet6" and address.text("scope") == "global":
            yield f"{address.text('local')}/{address.integer('prefixlen')}"


def _neighbours6(device: str, neighbours: Sequence[Answer]) -> Iterator[tuple[str, str]]:
    for each in neighbours:
        if each.text("dev") == device and ":" in each.text("dst"):
            yield each.text("dst"), each.text("lladdr")


def _parse_list(what: str, text: str) -> tuple[Answer, ...]:
    try:
        wrapped = json.dumps({"list": json.loads(text)})
    except ValueError as error:
        raise MeasurementError(f"{what}: not JSON: {error}") from error
    return Answer.parse(what, wrapped.encode()).nested_list("list")
