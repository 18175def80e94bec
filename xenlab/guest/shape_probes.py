"""Probes that tell the shapes of a device's packets: the kernel's own events, as histograms.

Lines are of linux-source-6.1 6.1.192-2: NF is drivers/net/xen-netfront.c, NB
drivers/net/xen-netback/netback.c.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from xenlab.guest.probes import Histogram, Probe
from xenlab.measure.shapes import CHECKSUMS, FORMS, LENGTHS, PAGES, Stage, table_of

# As many packets of different lengths as a test sends.
ROOM = 4096

# A histogram has three keys at most (TRACING_MAP_KEYS_MAX, kernel/trace/tracing_map.h).
KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        LENGTHS: ("len",),
        FORMS: ("len", "gso_size", "protocol"),
        PAGES: ("len", "data_len", "gso_segs"),
        CHECKSUMS: ("protocol", "ip_summed"),
    }
)
Views = tuple[str, ...]
EVENTS: tuple[tuple[Stage, str, str, Views], ...] = (
    (
        Stage.SENT,
        "net/net_dev_start_xmit",
        "net/core/dev.c:3705, which gives it to the driver",
        (FORMS, PAGES, CHECKSUMS),
    ),
    (Stage.DELIVERED, "net/netif_receive_skb", "net/core/dev.c:5439", (LENGTHS,)),
)
# netback gives what it took off the ring to netif_receive_skb(), netfront to napi_gro_receive().
ARRIVALS = {
    "vif": ("net/netif_receive_skb_entry", "NB:1286"),
    "eth": ("net/napi_gro_receive_entry", "NF:1264"),
}


def shape_probes(devices: Sequence[str]) -> tuple[Probe, ...]:
    """The probes for devices of one node: netfront's, netback's or a bridge."""
    events = [(*event, devices) for event in EVENTS]
    for kind, (event, source) in ARRIVALS.items():
        if some := [device for device in devices if device.startswith(kind)]:
            events.append((Stage.RECEIVED, event, source, (FORMS, CHECKSUMS), some))
    return tuple(
        Probe(
            event=event,
            counts=f"packets {stage} by a device, by length and more",
            source=source,
            histograms=tuple(_histograms(stage, some, views)),
        )
        for stage, event, source, views, some in events
    )


def _histograms(stage: Stage, devices: Sequence[str], views: Views) -> Iterator[Histogram]:
    for device in devices:
        for view in views:
            yield Histogram(
                table=table_of(stage, device, view),
                keys=KEYS[view],
                condition=f'name=="{device}"',
                room=ROOM,
            )
