"""Outlet: a device by what decides which packets its driver takes, read with files of its node."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from xenlab.errors import MeasurementError
from xenlab.guest.agreement import READ_AGREEMENT, Agreement, parse_agreement
from xenlab.guest.answer import Answer
from xenlab.guest.device_state import MARK, Feature, FeatureState, parse_features
from xenlab.guest.reading import NodeFiles, parse_node_files
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline

RECEIVES = "-"

# Device, which vif sends by it, and patterns of files: one exchange does it all, and to start a
# program costs as much as an exchange.
READ = f"""
set -f
device=$1 vif=$2
shift 2
xlflow read "$@" -- "$device" || exit 1
echo {MARK}
ip -d -j link show dev "$device" || exit 1
[ "$vif" = {RECEIVES} ] && exit 0
echo; echo {MARK}
ethtool -k "$device" || exit 1
echo {MARK}
{READ_AGREEMENT}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """A device at one moment; `has_xdp` says that an XDP program is on it.

    Of one that only receives there are neither features nor what it agreed on.
    """

    gso_max_size_bytes: int
    gso_max_segs: int
    has_xdp: bool
    features: Mapping[str, FeatureState] = field(default_factory=dict)
    agreement: Agreement = field(default_factory=Agreement)

    def has(self, feature: Feature) -> bool:
        """Whether every part of a feature is in force. Raises MeasurementError if none is told."""
        return not any(self._off((feature,)))

    def changeable_off(self, *wanted: Feature) -> bool:
        """Whether a part of these is off that somebody can switch on."""
        return any(not state.fixed for state in self._off(wanted))

    def _off(self, wanted: Iterable[Feature]) -> tuple[FeatureState, ...]:
        told = [
            self.features[part]
            for feature in wanted
            for part in feature.parts
            if part in self.features
        ]
        if not told:
            raise MeasurementError(f"`ethtool -k` told nothing of {', '.join(wanted)}")
        return tuple(state for state in told if not state.active)


def read_outlet(
    shell: Shell, device: str, patterns: Sequence[str], deadline: Deadline, *, sender: int | None
) -> tuple[Outlet, NodeFiles]:
    """A device; files and its statistics as of `read_node_files`.

    `sender` is its vif's index in the node, None where nothing is sent by it. Raises LabError, and
    MeasurementError for what cannot be told.
    """
    words = (device, RECEIVES if sender is None else str(sender), *patterns)
    text = shell.run_script(READ, *words, deadline=deadline).require_success().text
    return parse_outlet(f"{shell.where} {device}", text, sends=sender is not None)


def parse_outlet(what: str, text: str, *, sends: bool) -> tuple[Outlet, NodeFiles]:
    """What that script wrote. Raises MeasurementError."""
    files, *parts = text.split(f"{MARK}\n")
    if len(parts) != (3 if sends else 1):
        raise MeasurementError(f"{what}: told {text[:400]!r}")
    try:
        wrapped = json.dumps({"links": json.loads(parts[0])})
    except ValueError as error:
        raise MeasurementError(f"{what}: not JSON: {error}") from error
    links = Answer.parse(what, wrapped.encode()).nested_list("links")
    if len(links) != 1:
        raise MeasurementError(f"{what}: {len(links)} links in place of one")
    outlet = Outlet(
        gso_max_size_bytes=links[0].integer("gso_max_size"),
        gso_max_segs=links[0].integer("gso_max_segs"),
        has_xdp="xdp" in links[0].fields,
        features=parse_features(what, parts[1].splitlines()) if sends else {},
        agreement=parse_agreement(what, parts[2] if sends else ""),
    )
    return outlet, parse_node_files(files)
