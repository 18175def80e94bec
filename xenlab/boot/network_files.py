"""Batch files for `ip`: addresses, routes and neighbours of dom0 and each domU, all fixed.

Neighbours are permanent and nothing is discovered, so that the devices are silent and their packet
counters hold the traffic of a test and nothing else.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator

from xenlab.plan.model import DOM0, UPLINK, DomUPlan, LabPlan, NetworkPlan, UplinkPlan, VifPlan

DOM0_OF_XL = "Domain-0"
LOCALLY_ADMINISTERED = "02:78:6c"  # IEEE 802, bit 1 of the first octet; then "xl"


def bridge_mac(network: NetworkPlan) -> str:
    """The backend's MAC address on a network, derived from the network's name."""
    digest = hashlib.sha256(network.name.encode()).digest()
    return f"{LOCALLY_ADMINISTERED}:{digest[0]:02x}:{digest[1]:02x}:{digest[2]:02x}"


def render_bridge_batch(plan: LabPlan, backend: str) -> str:
    """`ip -batch` input that makes a backend's bridges with its addresses and neighbours."""
    lines: list[str] = []
    for network in plan.networks:
        if network.backend != backend:
            continue
        bridge = network.bridge
        lines += [
            _line("link", "add", bridge, "address", bridge_mac(network), "type", "bridge",
                  "stp_state", "0", "mcast_snooping", "0", "forward_delay", "0"),
            _line("link", "set", bridge, "mtu", str(network.mtu_bytes), "up"),
            _line("addr", "add", f"{network.address4}/{network.prefix4}", "dev", bridge),
            _line("addr", "add", f"{network.address6}/{network.prefix6}", "dev", bridge, "nodad"),
        ]  # fmt: skip
        for _domu, vif in plan.vifs_on(network.name):
            lines += _neighbours(bridge, vif.mac, vif.address4, vif.address6)
        lines += _outside(plan, network.name, bridge)
    return "".join(lines)


def render_uplink_batch(plan: LabPlan, uplink: UplinkPlan) -> str:
    """`ip -batch` input for the NIC's end of the wire: a port of its network's bridge."""
    network = plan.network(uplink.network)
    return _line(
        "link", "set", UPLINK, "mtu", str(network.mtu_bytes), "master", network.bridge, "up"
    )


def render_peer_batch(plan: LabPlan, uplink: UplinkPlan) -> str:
    """`ip -batch` input for the outside peer's end of the wire."""
    network, peer = plan.network(uplink.network), uplink.peer
    lines = [
        _line("link", "set", UPLINK, "mtu", str(peer.mtu_bytes), "up"),
        _line("addr", "add", f"{peer.address4}/{peer.prefix4}", "dev", UPLINK),
        _line("addr", "add", f"{peer.address6}/{peer.prefix6}", "dev", UPLINK, "nodad"),
        *_neighbours(UPLINK, bridge_mac(network), network.address4, network.address6),
    ]
    for _domu, vif in plan.vifs_on(network.name):
        lines += _neighbours(UPLINK, vif.mac, vif.address4, vif.address6)
    return "".join(lines)


def render_domu_batch(plan: LabPlan, domu: DomUPlan) -> str:
    """`ip -batch` input for a domU whose netfront devices exist."""
    lines: list[str] = []
    for vif in domu.vifs:
        lines += [
            _line("link", "set", vif.device, "mtu", str(vif.mtu_bytes), "up"),
            _line("addr", "add", f"{vif.address4}/{vif.prefix4}", "dev", vif.device),
            _line("addr", "add", f"{vif.address6}/{vif.prefix6}", "dev", vif.device, "nodad"),
        ]
        lines += _peers_of(plan, domu, vif)
    for route in domu.routes:
        lines.append(_line("route", "add", route.destination, "via", route.gateway))
    return "".join(lines)


def render_vif_table(domu: DomUPlan, plan: LabPlan) -> str:
    """One line a vif: index, MAC, bridge, MTU, queues (`-`: as the drivers choose), backend, trust.

    Xen's name for the backend dom0 is `Domain-0`.
    """
    rows = []
    for vif in domu.vifs:
        network, queues = plan.network(vif.network), str(vif.queues) if vif.queues else "-"
        backend = DOM0_OF_XL if network.backend == DOM0 else network.backend
        trust = "trusted" if vif.trusted else "untrusted"
        mtu = str(vif.mtu_bytes)
        rows.append((str(vif.index), vif.mac, network.bridge, mtu, queues, backend, trust))
    return "".join(" ".join(row) + "\n" for row in rows)


def render_feature_table(domu: DomUPlan) -> str:
    """One line for each ethtool feature that the plan sets: device, feature, on or off."""
    return "".join(
        f"{vif.device} {feature} {'on' if wanted else 'off'}\n"
        for vif in domu.vifs
        for feature, wanted in vif.features
    )


def _peers_of(plan: LabPlan, domu: DomUPlan, vif: VifPlan) -> Iterator[str]:
    network = plan.network(vif.network)
    yield from _neighbours(vif.device, bridge_mac(network), network.address4, network.address6)
    for peer, peer_vif in plan.vifs_on(vif.network):
        if peer is not domu:
            yield from _neighbours(vif.device, peer_vif.mac, peer_vif.address4, peer_vif.address6)
    yield from _outside(plan, vif.network, vif.device)


def _outside(plan: LabPlan, network: str, device: str) -> list[str]:
    """The outside peer as a neighbour on its network."""
    if plan.uplink is None or plan.uplink.network != network:
        return []
    peer = plan.uplink.peer
    return _neighbours(device, peer.mac, peer.address4, peer.address6)


def _neighbours(device: str, mac: str, *addresses: str) -> list[str]:
    return [
        _line("neigh", "replace", address, "lladdr", mac, "nud", "permanent", "dev", device)
        for address in addresses
    ]


def _line(*words: str) -> str:
    return shlex.join(words) + "\n"
