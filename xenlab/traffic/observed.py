"""ObservedNode: which devices and files of a node are read for an observation, and their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xenlab.guest.reading import NodeFiles
from xenlab.measure.ring import RingSnapshot
from xenlab.plan.model import DOM0, Link
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.link_sight import ENDINGS, SENT
from xenlab.xen.rings import DEBUGFS, parse_ring, ring_files

CLASS_NET = "/sys/class/net"
STATISTICS = (
    "rx_packets", "tx_packets", "rx_bytes", "tx_bytes", "rx_dropped", "tx_dropped", "rx_errors",
    "tx_errors",
)  # fmt: skip
# One set for each PV device (Linux commit 44e6bcdbb4d9 and 5.12 on), drivers/xen/xenbus.
XENBUS = ("events", "spurious_events", "jiffies_eoi_delayed")
# drivers/net/xen-netback/interface.c:381 and drivers/net/xen-netfront.c.
NETBACK = ("rx_gso_checksum_fixup", SENT, *ENDINGS, "tx_frag_overflow")
NETFRONT = ("rx_gso_checksum_fixup",)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedNode:
    """A node of a link: `devices` are netfront's in a domU, the link's vifs in dom0."""

    name: str
    devices: tuple[str, ...]

    @property
    def patterns(self) -> tuple[str, ...]:
        """The files with its counters."""
        rings = map(ring_files, self.devices) if self.name == DOM0 else ()
        return (*(path for _name, path in self._paths()), *rings)

    def read_counters(self, files: NodeFiles) -> tuple[dict[str, int], dict[str, str]]:
        """Counters by name, such as `eth0 xenbus/events`; and why others are missing."""
        counters: dict[str, int] = {}
        missing: dict[str, str] = {}
        for name, path in self._paths():
            value = files.number(path)
            if value is None:
                missing[name] = f"no number in {path}"
            else:
                counters[name] = value
        for device in self.devices:
            statistics = files.statistics.get(device, {})
            for each in NETBACK if self.name == DOM0 else NETFRONT:
                if each in statistics:
                    counters[f"{device} {each}"] = statistics[each]
                else:
                    missing[f"{device} {each}"] = f"`ethtool -S {device}` does not tell it"
            # What a driver under test tells beyond that.
            counters |= {f"{device} {name}": value for name, value in statistics.items()}
        return counters, missing

    def read_rings(self, files: NodeFiles) -> tuple[RingSnapshot, ...]:
        """The rings of dom0's vifs. Raises MeasurementError for one that is not understood."""
        paths = [path for path in files.files if path.startswith(DEBUGFS)]
        return tuple(parse_ring(path, files.files[path]) for path in sorted(paths))

    def _paths(self) -> Iterator[tuple[str, str]]:
        for device in self.devices:
            for name in STATISTICS:
                yield f"{device} {name}", f"{CLASS_NET}/{device}/statistics/{name}"
            for name in XENBUS:
                yield f"{device} xenbus/{name}", f"{CLASS_NET}/{device}/device/xenbus/{name}"


def observed_nodes(lab: LabHandle, link: Link) -> tuple[ObservedNode, ...]:
    """The domUs of a link, and dom0."""
    domus = [(link.source, link.source_vif), (link.sink, link.sink_vif)]
    ends = [(name, vif) for name, vif in domus if vif is not None]
    vifs = tuple(lab.vif(name, vif.index) for name, vif in ends)
    return (
        *(ObservedNode(name=name, devices=(vif.device,)) for name, vif in ends),
        ObservedNode(name=DOM0, devices=vifs),
    )


def unrest_of(rings: Sequence[RingSnapshot], files: NodeFiles) -> str:
    """What is still on its way through these vifs, or has not come back; best nothing."""
    return "; ".join([*(each for ring in rings for each in ring.unrest), *_leaks(files)])


def untold_of(vifs: Sequence[str], rings: Sequence[RingSnapshot], files: NodeFiles) -> str:
    """What each vif has to tell before it may be called at rest, and does not; best nothing."""
    return "; ".join(each for vif in vifs for each in _untold(vif, rings, files))


def _untold(vif: str, rings: Sequence[RingSnapshot], files: NodeFiles) -> Iterator[str]:
    if not any(ring.vif == vif for ring in rings):
        yield f"no ring of {vif} was seen"
    absent = [name for name in (SENT, *ENDINGS) if name not in files.statistics.get(vif, {})]
    if absent:
        yield f"`ethtool -S {vif}` does not tell {', '.join(absent)}"


def _leaks(files: NodeFiles) -> Iterator[str]:
    """At rest sent is success and fail together (xen-netback/interface.c:389)."""
    for device, counters in files.statistics.items():
        if not counters.keys() >= {SENT, *ENDINGS}:
            continue  # untold_of() tells
        held = counters[SENT] - sum(counters[name] for name in ENDINGS)
        if held:
            yield f"{device}: {held} zerocopy packets have not come back"
