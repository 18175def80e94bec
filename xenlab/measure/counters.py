"""CounterSnapshot: what one node had counted at one moment; CounterDelta: what it counted since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from xenlab.errors import MeasurementError

# Drops of all queueing disciplines of a device, beside the counters that the kernel keeps itself.
QDISC_DROPS = "qdisc_drops"
# Those of them that a filter's action dropped, and no queue that was full.
FILTER_DROPS = "filter_drops"


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterSnapshot:
    """The counters of one node: by device and name, and the protocol counters by name.

    Protocol counters bear the names of /proc/net/snmp, netstat and snmp6: `UdpRcvbufErrors`,
    `Ip6ReasmFails`. What is not in here was not counted, which is not the same as zero.
    `unfinished` says how many datagrams wait for a fragment, by IP version, and how many TCP
    streams nobody holds (xenlab/images/tools/xlflow/silence.c).
    """

    node: str
    devices: Mapping[str, Mapping[str, int]]
    protocols: Mapping[str, int]
    unfinished: Mapping[str, int] = field(default_factory=dict)

    @property
    def unfinished_names(self) -> tuple[str, ...]:
        """What this node began and will talk about again, such as `fragments6 2`; best nothing."""
        return tuple(f"{name} {count}" for name, count in self.unfinished.items() if count)

    def device(self, device: str, counter: str) -> int:
        """A device's counter. Raises MeasurementError if the device or the counter is absent."""
        try:
            counters = self.devices[device]
        except KeyError:
            raise MeasurementError(f"{self.node} has no device {device}") from None
        try:
            return counters[counter]
        except KeyError:
            raise MeasurementError(f"{self.node} {device} does not count {counter}") from None

    def protocol(self, counter: str) -> int:
        """A protocol counter. Raises MeasurementError if this kernel does not have it."""
        try:
            return self.protocols[counter]
        except KeyError:
            raise MeasurementError(f"{self.node} does not count {counter}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterDelta:
    """Two snapshots of one node, the earlier first."""

    before: CounterSnapshot
    after: CounterSnapshot

    def __post_init__(self) -> None:
        if self.before.node != self.after.node:
            raise ValueError(f"snapshots of {self.before.node} and of {self.after.node}")

    def device(self, device: str, counter: str) -> int:
        """By how much a device's counter grew. Raises MeasurementError if that cannot be said."""
        grown = self.after.device(device, counter) - self.before.device(device, counter)
        return self._checked(f"{device} {counter}", grown)

    def protocol(self, counter: str) -> int:
        """By how much a protocol counter grew. Raises MeasurementError if that cannot be said."""
        grown = self.after.protocol(counter) - self.before.protocol(counter)
        return self._checked(counter, grown)

    def vanished(self, device: str) -> bool:
        """Whether a device was there and is no more."""
        return device in self.before.devices and device not in self.after.devices

    def _checked(self, what: str, grown: int) -> int:
        """Counters only grow: one that fell belongs to a device that was replaced in between."""
        if grown < 0:
            raise MeasurementError(f"{self.before.node} {what} fell by {-grown}: counted anew")
        return grown
