"""Where a batch enters and leaves a link: devices, addresses, and what a vif can take."""

from __future__ import annotations

from xenlab.plan.links import Link
from xenlab.plan.model import DOM0
from xenlab.traffic.composer.batch import VIF_WINDOW_KIB, ComposerFlow, Way
from xenlab.traffic.composer.wire import Mode
from xenlab.traffic.handle import LabHandle

# What dom0's end of a vif has (xenvif_alloc(), drivers/net/xen-netback/interface.c).
VIF_MAC = "fe:ff:ff:ff:ff:ff"


def flow_of(link: Link) -> ComposerFlow:
    """The addresses of a link's two ends; ValueError where dom0 routes and the MACs are others."""
    if link.routed:
        raise ValueError(
            f"{link.source} -> {link.sink} is routed: the composer's MACs would change"
        )
    return ComposerFlow(
        source_mac=link.source_mac or VIF_MAC,
        sink_mac=link.sink_mac or VIF_MAC,
        source4=link.source_address4,
        sink4=link.sink_address4,
        source6=link.source_address6,
        sink6=link.sink_address6,
    )


def way_of(lab: LabHandle, link: Link, mode: Mode = Mode.DIRECT) -> Way:
    """From a domU by its netfront, from dom0 by the sink's vif; no faster than that vif takes."""
    window_kib = 0
    if link.sink_vif:  # behind a bridge its thread wakes later than the sender's skbs come back
        window_kib = VIF_WINDOW_KIB if link.source == DOM0 else VIF_WINDOW_KIB // 2
    if link.source == DOM0 and link.sink_vif is not None:
        device = lab.vif(link.sink, link.sink_vif.index)
        return Way(device=device, mode=mode, window_kib=window_kib)
    return Way(device=link.source_device, mode=mode, window_kib=window_kib)


def sink_device_of(lab: LabHandle, link: Link) -> str:
    """Where the batch is awaited: at a domU's netfront, in dom0 at the source's vif."""
    if link.sink == DOM0 and link.source_vif is not None:
        return lab.vif(link.source, link.source_vif.index)
    return link.sink_device
