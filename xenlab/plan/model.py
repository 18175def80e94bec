"""LabPlan: everything about a lab that is fixed before it starts; touches nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from xenlab.errors import InputError, LabError
from xenlab.plan.codec import CAME_LATER, Undecodable, decode, encode
from xenlab.plan.host import HostPlan
from xenlab.plan.links import DOM0, Link, links_of, uplink_links_of
from xenlab.plan.nodes import DomUPlan, NetworkPlan, RoutePlan, VifPlan
from xenlab.plan.uplink import UPLINK, PeerPlan, UplinkPlan
from xenlab.topology.kernel_origin import KernelOrigin
from xenlab.topology.model import Accel, Dom0Iommu, Dom0Kind, DomUKind, Iommu, NicModel
from xenlab.topology.wording import did_you_mean, list_names, quote

__all__ = [
    "DOM0",
    "UPLINK",
    "Accel",
    "Dom0Iommu",
    "Dom0Kind",
    "Dom0Plan",
    "DomUKind",
    "DomUPlan",
    "Iommu",
    "KernelOrigin",
    "KernelPlan",
    "LabPlan",
    "Link",
    "MachinePlan",
    "NetworkPlan",
    "NicModel",
    "PeerPlan",
    "RoutePlan",
    "UplinkPlan",
    "VifPlan",
    "XenPlan",
]

# Goes up when a field changes, so that an older xenlab's plan is refused, not misread.
SCHEMA_VERSION = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelPlan:
    """A kernel that dom0 or a domU of this lab runs."""

    name: str
    origin: KernelOrigin


@dataclass(frozen=True, slots=True, kw_only=True)
class Dom0Plan:
    """dom0; `forwarding` makes it a router between the networks.

    `iommu` None: Xen uses no IOMMU.
    """

    kernel: str
    vcpus: int
    memory_mib: int
    command_line: str
    forwarding: bool
    kind: Dom0Kind = field(default=Dom0Kind.PV, metadata=CAME_LATER)
    iommu: Dom0Iommu | None = field(default=None, metadata=CAME_LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class MachinePlan:
    """The QEMU guest that boots Xen."""

    cpus: int
    memory_mib: int
    accel: Accel
    cpu_model: str
    iommu: Iommu
    interrupt_remapping: bool = field(default=False, metadata=CAME_LATER)
    iommu_passthrough: bool = field(default=True, metadata=CAME_LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class XenPlan:
    """Which Xen; `version` None is the newest of the suite.

    Without `iommu` it leaves the machine's alone. Without `boot` there is none: what is called dom0
    is then a Linux alone, at dom0's place on the wire.
    """

    suite: str
    version: str | None
    command_line: str
    iommu: bool = field(default=True, metadata=CAME_LATER)
    boot: bool = field(default=True, metadata=CAME_LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabPlan:
    """A whole lab. What one run adds (lab name, ports, folders) is not in it."""

    topology_name: str
    machine: MachinePlan
    xen: XenPlan
    kernels: tuple[KernelPlan, ...]
    dom0: Dom0Plan
    domus: tuple[DomUPlan, ...]
    networks: tuple[NetworkPlan, ...]
    uplink: UplinkPlan | None = field(default=None, metadata=CAME_LATER)
    host: HostPlan | None = field(default=None, metadata=CAME_LATER)

    @property
    def node_names(self) -> tuple[str, ...]:
        """dom0, every domU, and the outside peer if there is one."""
        return self.domain_names + ((self.uplink.peer.name,) if self.uplink else ())

    @property
    def domain_names(self) -> tuple[str, ...]:
        """What runs under Xen: dom0 and every domU."""
        return (DOM0, *(domu.name for domu in self.domus))

    @property
    def backends(self) -> tuple[str, ...]:
        """The driver domains: domUs that are the backend of a network."""
        named = {network.backend for network in self.networks}
        return tuple(domu.name for domu in self.domus if domu.name in named)

    @property
    def router(self) -> str:
        """The node that forwards between the networks that it is on; empty if none does."""
        forwarding = (domu.name for domu in self.domus if domu.forwarding)
        return DOM0 if self.dom0.forwarding else next(forwarding, "")

    @property
    def uplinks(self) -> tuple[UplinkPlan, ...]:
        """The uplink, if there is one."""
        return (self.uplink,) if self.uplink else ()

    @property
    def nic_owner(self) -> str:
        """The node that has the NIC, as its network's backend; empty where there is no NIC."""
        return self.network(self.uplink.network).backend if self.uplink else ""

    @property
    def nic_domu(self) -> str:
        """The driver domain that the NIC is passed through to; empty where dom0 keeps it."""
        return "" if self.nic_owner == DOM0 else self.nic_owner

    def is_peer(self, node: str) -> bool:
        """Whether a node is the outside peer."""
        return self.uplink is not None and node == self.uplink.peer.name

    def is_plain(self, node: str) -> bool:
        """Whether a node is a Linux without Xen below: the outside peer, or dom0 in a control."""
        return not self.xen.boot or self.is_peer(node)

    def domu(self, name: str) -> DomUPlan:
        """The domU of that name. Raises InputError with the names there are."""
        found = {domu.name: domu for domu in self.domus}
        if name not in found:
            hint = did_you_mean(name, self.node_names)
            raise InputError(f"no domU {quote(name)}{hint} (there are {list_names(found)})")
        return found[name]

    def require_node(self, name: str, *, of: str) -> None:
        """Nothing, or InputError with the nodes there are; `of` names whose nodes they are."""
        known = self.node_names
        if name not in known:
            hint = did_you_mean(name, known)
            raise InputError(f"no node {quote(name)} in {of}{hint} (there are {list_names(known)})")

    def network(self, name: str) -> NetworkPlan:
        """The network of that name. Raises InputError with the names there are."""
        found = {network.name: network for network in self.networks}
        if name not in found:
            hint = did_you_mean(name, found)
            raise InputError(f"no network {quote(name)}{hint} (there are {list_names(found)})")
        return found[name]

    def kernel(self, name: str) -> KernelPlan:
        """The kernel of that name. Raises InputError with the names there are."""
        found = {kernel.name: kernel for kernel in self.kernels}
        if name not in found:
            hint = did_you_mean(name, found)
            raise InputError(f"no kernel {quote(name)}{hint} (there are {list_names(found)})")
        return found[name]

    def vifs_on(self, network: str) -> Iterator[tuple[DomUPlan, VifPlan]]:
        """Every vif on a network, with its domU."""
        return ((domu, vif) for domu in self.domus for vif in domu.vifs if vif.network == network)

    def peers(self, name: str) -> tuple[str, ...]:
        """The nodes that a node can send to."""
        return tuple(dict.fromkeys(link.sink for link in self.links() if link.source == name))

    def links(self) -> tuple[Link, ...]:
        """Every ordered pair of domains that can exchange packets, once for each way."""
        return links_of(self)

    def uplink_links(self) -> tuple[Link, ...]:
        """Each domain on the NIC's network and the outside peer, both ways; none without a NIC."""
        return uplink_links_of(self)

    def to_json(self) -> str:
        """The plan as JSON text that `from_json` reads back to an equal plan."""
        document = {"schema_version": SCHEMA_VERSION, "plan": encode(self)}
        return json.dumps(document, indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> LabPlan:
        """The plan that `to_json` wrote. Raises LabError for anything else."""
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise LabError(f"the saved plan is not JSON: {quote(error)}") from error
        version = document.get("schema_version") if isinstance(document, dict) else None
        if version != SCHEMA_VERSION:
            raise LabError(
                f"the saved plan has schema {quote(version)}, this xenlab reads {SCHEMA_VERSION}"
            )
        try:
            return decode(cls, document.get("plan"))
        except Undecodable as error:
            raise LabError(f"the saved plan is damaged: {error}") from error

    def content_digest(self) -> str:
        """SHA-256 of the plan, equal for equal plans: part of the checkpoint's key."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()
