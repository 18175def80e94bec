"""UplinkPlan: the machine's NIC, its wire, and the outside peer at the other end."""

from __future__ import annotations

from dataclasses import dataclass

from xenlab.topology.model import NicModel

# What its owner and the peer call the device at their end of the wire.
UPLINK = "uplink"
# Its slot on pcie.0, behind the NIC that dom0 is controlled by: that one is to be the first that
# dom0's driver finds, and so eth0.
UPLINK_SLOT = 0x1E
# The same place as Linux, Xen and xl write it.
UPLINK_PCI = f"0000:00:{UPLINK_SLOT:02x}.0"


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
    """The NIC, a port of its network's bridge, in the backend of that; `mac` is its own."""

    network: str
    model: NicModel
    mac: str
    peer: PeerPlan
