"""The domUs and networks of a plan, with every address."""

from __future__ import annotations

from dataclasses import dataclass, field

from xenlab.plan.codec import CAME_LATER
from xenlab.topology.defaults import BACKEND
from xenlab.topology.model import DomUKind


@dataclass(frozen=True, slots=True, kw_only=True)
class VifPlan:
    """One vif of a domU; `queues` None leaves the number to the drivers."""

    index: int
    network: str
    mac: str
    mtu_bytes: int
    queues: int | None
    features: tuple[tuple[str, bool], ...]
    address4: str
    prefix4: int
    address6: str
    prefix6: int
    trusted: bool = field(default=True, metadata=CAME_LATER)

    @property
    def device(self) -> str:
        """The netfront device: the domU's end."""
        return f"eth{self.index}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePlan:
    """A route of a domU: `destination` as address/prefix, `gateway` on one of its networks."""

    destination: str
    gateway: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DomUPlan:
    """One domU; `forwarding` makes it a router between the networks that it is on."""

    name: str
    kernel: str
    kind: DomUKind
    vcpus: int
    memory_mib: int
    command_line: str
    vifs: tuple[VifPlan, ...]
    routes: tuple[RoutePlan, ...] = ()
    forwarding: bool = field(default=False, metadata=CAME_LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPlan:
    """One network: a bridge in its backend, dom0 or a domU, and that one's addresses on it."""

    name: str
    bridge: str
    mtu_bytes: int
    address4: str
    prefix4: int
    address6: str
    prefix6: int
    backend: str = field(default=BACKEND, metadata=CAME_LATER)
