"""UplinkPlan: the machine's NIC, its wire, and the outside peer at the other end."""

from __future__ import annotations

from dataclasses import dataclass

from xenlab.topology.model import NicModel

# What dom0 and the peer call the device at their end of the wire.
UPLINK = "uplink"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerPlan:
    """A Linux without Xen, in a machine of its own: dom0's kernel and root image."""

    name: str
    vcpus: int
    memory_mib: int
    mac: str
    mtu_bytes: int
    address4: str
    prefix4: int
    address6: str
    prefix6: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UplinkPlan:
    """The NIC, a port of dom0's bridge of a network; `mac` is its own."""

    network: str
    model: NicModel
    mac: str
    peer: PeerPlan
