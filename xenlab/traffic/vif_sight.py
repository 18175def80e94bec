"""A vif at one moment, out of its ring's file and its counters in dom0."""

from __future__ import annotations

from collections.abc import Iterator

from xenlab.errors import MeasurementError
from xenlab.guest.reading import NodeFiles, read_node_files
from xenlab.measure.rx import VifSight
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline
from xenlab.xen.rings import parse_ring, ring_files

CLASS_NET = "/sys/class/net"
COUNTERS = (
    "statistics/tx_packets", "statistics/tx_dropped", "statistics/rx_dropped", "carrier",
    "carrier_down_count", "carrier_up_count",
)  # fmt: skip


def read_sight(shell: Shell, vif: str, deadline: Deadline) -> VifSight:
    """A vif as it stands. Raises MeasurementError for one of several queues."""
    patterns = [ring_files(vif), *(f"{CLASS_NET}/{vif}/{each}" for each in COUNTERS)]
    return parse_sight(vif, read_node_files(shell, patterns, (), deadline))


def parse_sight(vif: str, files: NodeFiles) -> VifSight:
    """A vif out of its files. Raises MeasurementError for what is not there."""
    rings = [path for path in files.files if "io_ring_q" in path]
    if len(rings) != 1:
        raise MeasurementError(f"{vif} has {len(rings)} queues, and the ring model knows one")
    ring = parse_ring(rings[0], files.files[rings[0]])
    if ring.to_guest is None:
        raise MeasurementError(f"{vif} is not connected")
    sent, dropped, expired, carrier, losses, gains = _numbers(vif, files)
    return VifSight(
        ring=ring.to_guest,
        queued=ring.queued_pkts,
        queued_bytes=ring.queued_bytes,
        sent=sent,
        dropped=dropped,
        expired=expired,
        carrier=bool(carrier),
        carrier_losses=losses,
        carrier_gains=gains,
    )


def _numbers(vif: str, files: NodeFiles) -> Iterator[int]:
    for counter in COUNTERS:
        path = f"{CLASS_NET}/{vif}/{counter}"
        value = files.number(path)
        if value is None:
            raise MeasurementError(f"no number in {path}")
        yield value
