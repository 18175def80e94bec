"""What the nodes of a link show of its limits: parameters, settings, what a frontend counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from xenlab.guest.device_state import Feature
from xenlab.guest.outlet import Outlet, read_outlet
from xenlab.guest.reading import NodeFiles, read_node_files
from xenlab.plan.model import Link
from xenlab.together import on_all
from xenlab.traffic.handle import LabHandle

READ_S = 20.0
FATAL_SLOTS = "/sys/module/xen_netback/parameters/fatal_skb_slots"
# Of the series netfront-slots-limit.
SLOTS_MAX = "/sys/module/xen_netfront/parameters/slots_max"
FILES = (FATAL_SLOTS, SLOTS_MAX)
# What a device has whose driver says nothing (GSO_MAX_SEGS, include/linux/netdevice.h).
GSO_MAX_SEGS = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSight:
    """What a node has to say of a link: files, and its netfront's device if it has one there.

    Among the files are the statistics of that device.
    """

    files: NodeFiles
    outlet: Outlet | None = None


def look_at_limits(lab: LabHandle, link: Link) -> Mapping[str, NodeSight]:
    """One exchange with the backend and each end of a link, all at once."""
    deadline = lab.budget(READ_S)
    devices = _devices(link)

    def look(node: str) -> NodeSight:
        shell = lab.shell(node)
        if node not in devices:
            return NodeSight(files=read_node_files(shell, FILES, (), deadline))
        sender = link.source_vif.index if link.source_vif and node == link.source else None
        outlet, files = read_outlet(shell, devices[node], FILES, deadline, sender=sender)
        return NodeSight(files=files, outlet=outlet)

    return on_all(look, dict.fromkeys((link.backends[0], link.source, *devices)))


def _devices(link: Link) -> Mapping[str, str]:
    """The devices of netfronts at both ends, by node."""
    ends = (
        (link.source, link.source_device, link.source_vif),
        (link.sink, link.sink_device, link.sink_vif),
    )
    return {node: device for node, device, vif in ends if vif is not None}


def find_unknown(link: Link, outlets: Mapping[str, Outlet | None]) -> Iterator[str]:
    """What is set at the ends of a link that the model does not know, and how to take it back."""
    source, sink = outlets.get(link.source), outlets.get(link.sink)
    if source is not None:
        yield from _unknown_of_source(link, source)
    if sink is not None and sink.has_xdp:
        yield (
            f"{link.sink} {link.sink_device} has an XDP program, before which netback leaves room"
            " that netfront takes for data:"
            f" `xenlab exec {link.sink} -- ip link set dev {link.sink_device} xdp off`"
        )


def _unknown_of_source(link: Link, outlet: Outlet) -> Iterator[str]:
    node, device = link.source, link.source_device
    # Without scatter-gather there is no TSO either, and the model drops all GSO packets.
    if outlet.has(Feature.SCATTER) and not outlet.has(Feature.TSO):
        checksums = outlet.changeable_off(Feature.CHECKSUM4, Feature.CHECKSUM6)
        words = "tx on tso on" if checksums else "tso on"
        yield (
            f"{node} {device} lacks TSO, and which GSO packets netfront drops then the model does"
            f" not know: `xenlab exec {node} -- ethtool -K {device} {words}`"
        )
    if outlet.gso_max_segs != GSO_MAX_SEGS:
        yield (
            f"{node} {device} has gso_max_segs {outlet.gso_max_segs}, and which GSO packets"
            " netfront drops then the model does not know:"
            f" `xenlab exec {node} -- ip link set dev {device} gso_max_segs {GSO_MAX_SEGS}`"
        )
