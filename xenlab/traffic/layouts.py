"""Layouts sent over a link: composed, predicted, sent, awaited, counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from xenlab.measure.joining import JOINED
from xenlab.measure.layout_way import read_way
from xenlab.measure.layouts import LayoutCounters, LayoutRun, Sighting
from xenlab.measure.load import between_devices
from xenlab.measure.path import Path
from xenlab.plan.model import Link
from xenlab.plan.queues import has_several_queues
from xenlab.slots.bulk import FATES, NOT_FORETOLD, BulkPrediction, predict_bulk
from xenlab.slots.columns import LayoutColumns
from xenlab.slots.fate import Fate
from xenlab.slots.layout import PAGE_BYTES, Layout
from xenlab.slots.limits import PULL_BYTES, Limits
from xenlab.together import all_open
from xenlab.traffic.composer import module
from xenlab.traffic.composer.batch import VIF_WINDOW_KIB, Batch, Order
from xenlab.traffic.composer.delivery import Delivery, SendBatch, deliver_batch
from xenlab.traffic.composer.receiver import Post
from xenlab.traffic.composer.route import flow_of, sink_device_of, way_of
from xenlab.traffic.composer.sender import send_batch
from xenlab.traffic.composer.sightings import allow_overtaking, read_sightings
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.host_delay import host_sampled
from xenlab.traffic.kernel_module import build_modules, module_loaded
from xenlab.traffic.limits import limits_of
from xenlab.traffic.link_sight import SENT, LinkSight, look_at_rest, look_at_rest_again
from xenlab.traffic.measuring import path_of
from xenlab.traffic.settings import widest_mtus

RUN_S = 60.0
PACKETS_A_SECOND = 500  # what the slowest host has been seen to do, emulated and busy
BATCH_PACKETS = 20_000
VIF_ROOM_BYTES = VIF_WINDOW_KIB // 2 << 10


@contextmanager
def composers_loaded(lab: LabHandle, *links: Link) -> Iterator[None]:
    """The composer in the kernels of all ends, and bridge ports that pass what it sends."""
    built = build_modules(
        lab, module.NAME, (node for link in links for node in (link.source, link.sink))
    )
    loaded = {node: module_loaded(lab, node, module.NAME, file) for node, file in built.items()}
    with all_open(loaded), widest_mtus(lab, *links):
        yield


class LayoutSource(Protocol):
    """What sends layouts over a link, so many in one go, and says how each was seen."""

    @property
    def batch_packets(self) -> int:
        """The most layouts that `send` takes."""
        ...

    def send(
        self, lab: LabHandle, link: Link, layouts: Sequence[Layout], seed: int
    ) -> Iterable[Sighting]:
        """Send them and wait for every packet: one sighting each, in their order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Composer:
    """The kernel module, where both ends have it, or another sender whose packets it inspects."""

    batch_packets: int = BATCH_PACKETS
    send_batch: SendBatch = send_batch

    def send(
        self, lab: LabHandle, link: Link, layouts: Sequence[Layout], seed: int
    ) -> Iterator[Sighting]:
        """See LayoutSource. Raises MeasurementError where an end cannot say what it saw."""
        sightings = read_sightings(self.deliver(lab, link, layouts, seed))
        if has_several_queues(lab.plan, link):
            return allow_overtaking(layouts, sightings)
        return sightings

    def deliver(self, lab: LabHandle, link: Link, layouts: Sequence[Layout], seed: int) -> Delivery:
        """Send them as one batch; what both ends say of it, whatever it is."""
        deadline = lab.budget(RUN_S + len(layouts) / PACKETS_A_SECOND)
        orders = tuple(Order(layout=layout) for layout in layouts)
        batch = Batch(orders=orders, flow=flow_of(link), way=way_of(lab, link), seed=seed)
        post = Post(device=sink_device_of(lab, link), copies=_copies(batch))
        source, sink = lab.shell(link.source), lab.shell(link.sink)
        with host_sampled(lab) as samples:
            delivery = deliver_batch(source, sink, batch, post, deadline, self.send_batch)
        return replace(delivery, host_samples=samples)


COMPOSER = Composer()


def send_layouts(
    lab: LabHandle,
    link: Link,
    layouts: Sequence[Layout],
    *,
    seed: int,
    limits: Limits | None = None,
    source: LayoutSource = COMPOSER,
) -> LayoutRun:
    """Send all layouts over a link, with all that the source needs in place; await every packet.

    Without limits they are those of the lab as it is. Raises MeasurementError where an end cannot
    say what it saw, or something is set that the model does not know.
    """
    limits = limits or limits_of(lab, link)
    prediction = predict_bulk(LayoutColumns.of(layouts), limits)
    path = between_devices(path_of(lab, link))
    vif, by_wire = path.source.vif, bool(path.sink.nic)
    before = look_at_rest(lab, path)
    sightings: list[Sighting] = []
    for few in portions(layouts, source.batch_packets, _room_bytes(link, limits)):
        sightings += source.send(lab, link, few, seed + len(sightings))
    after, unrest = look_at_rest_again(lab, path, before)
    fates = tuple(FATES[code] for code in prediction.fates.tolist())
    counted = after.statistics.get(vif, {})
    return LayoutRun(
        source=link.source,
        sink=link.sink,
        layouts=tuple(layouts),
        slots=tuple(prediction.counted_slots.tolist()),
        ring_slots=tuple(prediction.slots.tolist()) if vif else (),
        heads_bytes=() if by_wire else _expect_heads(link, layouts, prediction),
        frags=() if by_wire else expect_frags(link, layouts, prediction, counted),
        frames=tuple(layout.frames for layout in layouts) if by_wire else (),
        fates=fates if vif else (Fate.INTACT,) * len(layouts),
        sightings=tuple(sightings),
        expected=_expect(prediction) if vif else None,
        counted=_count(path, before, after) if vif else None,
        way=read_way(path, after.since(before), unrest, cut=by_wire),
    )


def _room_bytes(link: Link, limits: Limits) -> int:
    """How much a vif behind the source has to queue at once at most; 0 where the source sees to it.

    A frontend that bounces a packet gives the skb back before the packet has left, by which the
    source counts what is under way.
    """
    return VIF_ROOM_BYTES if limits.bounces and link.sink_vif else 0


def portions(
    layouts: Sequence[Layout], packets: int, room_bytes: int
) -> Iterator[Sequence[Layout]]:
    """All layouts in their order, so many packets and so many bytes at once; 0 is any number.

    What alone is more than that goes alone.
    """
    start, held_bytes = 0, 0
    for end, layout in enumerate(layouts):
        over = room_bytes and held_bytes + layout.length_bytes > room_bytes
        if end > start and (end - start == packets or over):
            yield layouts[start:end]
            start, held_bytes = end, 0
        held_bytes += layout.length_bytes
    if start < len(layouts):
        yield layouts[start:]


def _count(path: Path, before: LinkSight, after: LinkSight) -> LayoutCounters:
    source, vif = path.source, path.source.vif
    dropped = after.since(before)[source.node].device(source.device, "tx_dropped")
    overflow, sent = (
        after.vif_counter(vif, name) - before.vif_counter(vif, name)
        for name in ("tx_frag_overflow", SENT)
    )
    return LayoutCounters(
        frontend_tx_dropped=dropped, tx_frag_overflow=overflow, tx_zerocopy_sent=sent
    )


def _copies(batch: Batch) -> int:
    """Room for the wire segments of all packets, and as many duplicates as there are packets."""
    segments = sum(layout.frames for layout in batch.layouts)
    return 1 + -(-segments // batch.packets)


def _expect_heads(
    link: Link, layouts: Sequence[Layout], prediction: BulkPrediction
) -> tuple[int, ...]:
    """How much of each packet must be in the head that its sink gets, as Acceptance and Delivery.

    netfront pulls of the first slot what it has, 256 bytes at most; that slot is full, or the last.
    """
    if link.sink_vif is None:
        return tuple(prediction.headlen_bytes.tolist())
    return tuple(min(layout.length_bytes, PULL_BYTES) for layout in layouts)


def expect_frags(
    link: Link,
    layouts: Sequence[Layout],
    prediction: BulkPrediction,
    counted: Mapping[str, int],
) -> tuple[int | None, ...]:
    """In how many frags the rest of each packet must come, as Acceptance and Delivery.

    netback fills a page for a guest before it begins another; one that is all head is no frag. Of
    one that joins slots, which shows in what the source's vif counts, nothing is foretold: ().
    """
    if link.sink_vif is None and JOINED in counted:
        return ()
    if link.sink_vif is None:
        return tuple(None if each == NOT_FORETOLD else each for each in prediction.frags.tolist())
    lengths_bytes = (layout.length_bytes for layout in layouts)
    return tuple(-(-length // PAGE_BYTES) if length > PULL_BYTES else 0 for length in lengths_bytes)


def _expect(prediction: BulkPrediction) -> LayoutCounters:
    return LayoutCounters(
        frontend_tx_dropped=prediction.count(Fate.DROPPED),
        tx_frag_overflow=prediction.count(Fate.OVERFLOW),
        tx_zerocopy_sent=int(prediction.tx_zerocopy_sent.sum()),
    )
