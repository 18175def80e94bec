"""Accounts: snapshots of a small lab by the numbers that a test cares for, all others being 0."""

from __future__ import annotations

from collections.abc import Mapping

from xenlab.measure.attachment import Attachment
from xenlab.measure.counters import CounterDelta, CounterSnapshot
from xenlab.measure.layout_way import LayoutWay, read_way
from xenlab.measure.measurement import GAPS, unmissed_places
from xenlab.measure.path import Path, build_path

ALICE = Attachment(node="alice", device="eth0", bridge="br-lan", vif="vif1.0")
BOB = Attachment(node="bob", device="eth0", bridge="br-lan", vif="vif2.0")
FAR_BOB = Attachment(node="bob", device="eth0", bridge="br-right", vif="vif2.0")
DOM0 = Attachment(node="dom0", device="br-lan", bridge="br-lan")
DOM0_FAR = Attachment(node="dom0", device="br-right", bridge="br-right")
ROUTER = (DOM0, DOM0_FAR)
PEER = Attachment(node="peer", device="uplink", bridge="br-lan", nic="uplink")

Counted = Mapping[str, int]
DEVICES = {
    "alice": "alice eth0", "vif1": "dom0 vif1.0", "vif2": "dom0 vif2.0", "bob": "bob eth0",
}  # fmt: skip


def places(*paths: Path) -> set[tuple[str, str, str]]:
    """Node, device and name of every counter that the paths ask for."""
    wanted = set()
    for path in paths:
        for leg in path.legs:
            wanted |= {(p.node, p.device, str(p.side)) for p in (leg.start, leg.end)}
            wanted |= {(p.node, p.device, p.side.bytes_counter) for p in (leg.start, leg.end)}
            wanted |= {(d.node, d.device, d.counter) for d in leg.drop_counters}
        for drop in (*path.sending_drops, *path.receiving_drops, *unmissed_places(path)):
            wanted.add((drop.node, drop.device, drop.counter))
        wanted.add((path.sink.node, "", GAPS))
    return wanted


def deltas(source: Attachment, sink: Attachment, counted: Counted) -> dict[str, CounterDelta]:
    """What was counted between two attachments, by `node device counter` or `node counter`."""
    return deltas_along(build_path(source, sink), counted)


def deltas_along(path: Path, counted: Counted) -> dict[str, CounterDelta]:
    """The same of any path."""
    wanted = places(path, path.back)
    names = {" ".join(part for part in place if part) for place in wanted}
    unknown = set(counted) - names
    if unknown:
        raise KeyError(f"no such counters on this path: {unknown}")
    return {node: _delta(node, wanted, counted) for node in {place[0] for place in wanted}}


def _delta(node: str, wanted: set[tuple[str, str, str]], counted: Counted) -> CounterDelta:
    devices: dict[str, dict[str, int]] = {}
    protocols: dict[str, int] = {}
    for _, device, counter in sorted(place for place in wanted if place[0] == node):
        key = " ".join(part for part in (node, device, counter) if part)
        table = devices.setdefault(device, {}) if device else protocols
        table[counter] = counted.get(key, 0)
    after = CounterSnapshot(node=node, devices=devices, protocols=protocols)
    before = CounterSnapshot(
        node=node,
        devices={device: dict.fromkeys(table, 0) for device, table in devices.items()},
        protocols=dict.fromkeys(protocols, 0),
    )
    return CounterDelta(before=before, after=after)


def way_through(packets: int, **more: int) -> LayoutWay:
    """The way of so many packets from alice to bob between devices, and what else was counted.

    Names are as `vif2_tx_packets` for `dom0 vif2.0 tx_packets`.
    """
    path = build_path(ALICE, BOB)
    counted = through(packets) | {
        f"{DEVICES[name.partition('_')[0]]} {name.partition('_')[2]}": count
        for name, count in more.items()
    }
    return read_way(path, deltas(ALICE, BOB, counted), "")


def way_over_the_wire(packets: int, frames: int, **more: int) -> LayoutWay:
    """The way of so many packets from alice to the outside peer, for which dom0 cuts them."""
    counted = {
        "alice eth0 tx_packets": packets,
        "dom0 vif1.0 rx_packets": packets,
        "dom0 uplink tx_packets": frames,
        "peer uplink rx_packets": frames,
    }
    names = {"uplink": "dom0 uplink", "peer": "peer uplink"}
    counted |= {
        f"{names[name.partition('_')[0]]} {name.partition('_')[2]}": count
        for name, count in more.items()
    }
    return read_way(build_path(ALICE, PEER), deltas(ALICE, PEER, counted), "", cut=True)


def through(packets: int, *, vif2: int | None = None, bob: int | None = None) -> dict[str, int]:
    """So many packets from alice to bob, of which so many came as far as vif2.0, and to bob."""
    vif2 = packets if vif2 is None else vif2
    return {
        "alice eth0 tx_packets": packets,
        "dom0 vif1.0 rx_packets": packets,
        "dom0 vif2.0 tx_packets": vif2,
        "bob eth0 rx_packets": vif2 if bob is None else bob,
    }
