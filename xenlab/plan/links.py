"""Link: one way a packet can take from one node of the lab to another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xenlab.plan.uplink import UPLINK, PeerPlan

if TYPE_CHECKING:
    from xenlab.plan.model import LabPlan
    from xenlab.plan.nodes import NetworkPlan, VifPlan

DOM0 = "dom0"
# RFC 8200, section 5. Linux takes IPv6 off a device whose MTU is below.
IPV6_MIN_MTU_BYTES = 1280


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """From `source` to `sink`; a vif is None at a backend's end, whose device is then the bridge.

    And at the outside peer's, whose device is its end of the wire.

    A MAC is empty at a backend's end, which is every vif's of the network.

    `networks` has one name, or two if a node routes between them (the source's first): `router`
    then, with a vif, or None as a backend, at either side. `backends` are those of the networks.
    `mtu_bytes` is the least on the way: what arrives without being fragmented.
    """

    source: str
    sink: str
    networks: tuple[str, ...]
    source_vif: VifPlan | None
    sink_vif: VifPlan | None
    source_device: str
    sink_device: str
    source_mac: str
    sink_mac: str
    source_address4: str
    source_address6: str
    sink_address4: str
    sink_address6: str
    mtu_bytes: int
    backends: tuple[str, ...] = (DOM0,)
    router: str = ""
    router_vifs: tuple[VifPlan | None, ...] = ()

    @property
    def routed(self) -> bool:
        """Whether a node forwards on the network layer between two networks."""
        return bool(self.router)

    @property
    def carries_ipv6(self) -> bool:
        """Whether no MTU on the way is below what IPv6 needs."""
        return self.mtu_bytes >= IPV6_MIN_MTU_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """One end of a link: a node on a network."""

    node: str
    network: NetworkPlan
    vif: VifPlan | None = None
    peer: PeerPlan | None = None

    @property
    def device(self) -> str:
        if self.peer:
            return UPLINK
        return self.vif.device if self.vif else self.network.bridge

    @property
    def mac(self) -> str:
        ends = [end for end in (self.vif, self.peer) if end]
        return ends[0].mac if ends else ""

    @property
    def place(self) -> VifPlan | NetworkPlan | PeerPlan:
        """What holds the addresses and the MTU."""
        return self.vif or self.peer or self.network


def links_of(plan: LabPlan) -> tuple[Link, ...]:
    """Links in the order of nodes, and of networks between the same two nodes."""
    return tuple(
        link
        for source in plan.domain_names
        for sink in plan.domain_names
        if source != sink
        for link in _links_between(plan, source, sink)
    )


def uplink_links_of(plan: LabPlan) -> tuple[Link, ...]:
    """Links over the wire, in the order of nodes; the way there before the way back."""
    if plan.uplink is None:
        return ()
    network = plan.network(plan.uplink.network)
    peer = _End(node=plan.uplink.peer.name, network=network, peer=plan.uplink.peer)
    inside = [
        end
        for node in plan.domain_names
        for end in _ends_of(plan, node)
        if end.network.name == network.name
    ]
    return tuple(link for end in inside for link in (_link(end, peer), _link(peer, end)))


def _links_between(plan: LabPlan, source: str, sink: str) -> Iterator[Link]:
    sources = {end.network.name: end for end in _ends_of(plan, source)}
    sinks = {end.network.name: end for end in _ends_of(plan, sink)}
    shared = [network for network in sources if network in sinks]
    for network in shared:
        yield _link(sources[network], sinks[network])
    if shared or not plan.router:
        return
    routed = {end.network.name: end for end in _ends_of(plan, plan.router)}
    # Each domU routes by its first network with the router, so only these see traffic both ways.
    on_router = ([end for name, end in ends.items() if name in routed] for ends in (sources, sinks))
    for source_end, sink_end in zip(*(ends[:1] for ends in on_router), strict=False):
        way = (routed[source_end.network.name], routed[sink_end.network.name])
        yield _link(source_end, sink_end, way)


def _ends_of(plan: LabPlan, node: str) -> list[_End]:
    vifs = () if node == DOM0 else plan.domu(node).vifs
    ends = [_End(node=node, network=plan.network(vif.network), vif=vif) for vif in vifs]
    own = [network for network in plan.networks if network.backend == node]
    return [*ends, *(_End(node=node, network=network) for network in own)]


def _link(source: _End, sink: _End, router: tuple[_End, ...] = ()) -> Link:
    return Link(
        source=source.node,
        sink=sink.node,
        networks=tuple(dict.fromkeys((source.network.name, sink.network.name))),
        source_vif=source.vif,
        sink_vif=sink.vif,
        source_device=source.device,
        sink_device=sink.device,
        source_mac=source.mac,
        sink_mac=sink.mac,
        source_address4=source.place.address4,
        source_address6=source.place.address6,
        sink_address4=sink.place.address4,
        sink_address6=sink.place.address6,
        backends=tuple(dict.fromkeys((source.network.backend, sink.network.backend))),
        router=router[0].node if router else "",
        router_vifs=tuple(end.vif for end in router),
        mtu_bytes=min(
            size
            for end in (source, *router, sink)
            for size in (end.place.mtu_bytes, end.network.mtu_bytes)
        ),
    )
