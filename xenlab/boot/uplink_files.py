"""The files of an uplink, for who has the NIC and for the peer: text, from the plan alone."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from xenlab.boot.network_files import (
    render_bridge_batch,
    render_peer_batch,
    render_uplink_batch,
)
from xenlab.plan.model import DOM0, LabPlan, NicModel, UplinkPlan

SCRIPTS = Path(__file__).parent / "scripts"
CONNECT_UPLINK = "usr/sbin/connect-uplink"
DRIVERS = {
    NicModel.E1000E: "e1000e",
    NicModel.VIRTIO: "virtio_net",
    NicModel.VIRTIO_IOMMU: "virtio_net",
}
# A PV domU's PCI bus.
BUS_OF_DOMU = "xen-pcifront"


def render_uplink_files(plan: LabPlan) -> Mapping[str, str]:
    """Path from the root of who has the NIC to text; nothing without an uplink."""
    if plan.uplink is None:
        return {}
    driver = DRIVERS[plan.uplink.model]
    drivers = f"{BUS_OF_DOMU} {driver}" if plan.nic_domu else driver
    return {
        CONNECT_UPLINK: _read_script("connect-uplink"),
        "xenlab/uplink": _render_words(MAC=plan.uplink.mac, DRIVERS=drivers),
        "xenlab/uplink.ip": render_uplink_batch(plan, plan.uplink),
    }


def render_peer_files(
    plan: LabPlan, uplink: UplinkPlan, management: Mapping[str, str]
) -> Mapping[str, str]:
    """Path from the peer's root to text; `init` takes the place of dom0's."""
    peer = uplink.peer
    return {
        "init": _read_script("peer-init"),
        CONNECT_UPLINK: _read_script("connect-uplink"),
        "xenlab/management": _render_words(NAME=peer.name, **management),
        "xenlab/uplink": _render_words(MAC=peer.mac, DRIVERS="virtio_net"),
        "xenlab/uplink.ip": render_peer_batch(plan, uplink),
    }


def render_plain_files(
    plan: LabPlan, uplink: UplinkPlan, management: Mapping[str, str]
) -> Mapping[str, str]:
    """Path from the root to text for dom0's place without Xen: the bridge, and the NIC on it."""
    return {
        **render_uplink_files(plan),
        "init": _read_script("peer-init"),
        "xenlab/management": _render_words(NAME=DOM0, **management),
        "xenlab/uplink.ip": render_bridge_batch(plan, DOM0) + render_uplink_batch(plan, uplink),
    }


def _read_script(name: str) -> str:
    return (SCRIPTS / name).read_text(encoding="ascii")


def _render_words(**words: str) -> str:
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in words.items())
