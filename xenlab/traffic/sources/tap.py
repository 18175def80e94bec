"""Tap: packets that come into a node as out of a network card's pages, and are forwarded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from xenlab.measure.layouts import Sighting
from xenlab.plan.model import DOM0, Link
from xenlab.slots.layout import PAGE_BYTES, Frag, Layout
from xenlab.traffic.composer.batch import VIF_WINDOW_KIB, Batch, Order
from xenlab.traffic.composer.delivery import deliver_batch
from xenlab.traffic.composer.receiver import Post
from xenlab.traffic.composer.results import SendReport
from xenlab.traffic.composer.route import flow_of, sink_device_of, way_of
from xenlab.traffic.composer.sightings import read_sightings
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.sources.packets import read_report, words_of
from xenlab.traffic.sources.tool import XLSOURCE, encode_layouts, parse_account
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline

MODULE = "tun"
DEVICE = "xltap0"
# Nobody's on any network of a lab: the packets come from beyond the node.
BEYOND4 = "10.255.77.2"
BEYOND_MAC = "02:78:6c:66:00:02"
HEAD_BYTES = 70
RUN_S = 60.0
# Nothing holds a tap back: what is sent at once has to fit into the queue of the sink's vif.
BATCH_MAX_BYTES = VIF_WINDOW_KIB << 10
ANY_MAC = "00:00:00:00:00:00"


def tap_layout(frags: int, frag_bytes: int) -> Layout:
    """A packet of the tap's, with each frag across the end of a page.

    Where they come to lie is the stack's choice: from the end of a page of order 3 downwards, each
    at a multiple of 64. A short frag may be in one page after all.
    """
    crossing = Frag(order=3, offset_bytes=PAGE_BYTES - 64, size_bytes=frag_bytes)
    return Layout(linear_bytes=HEAD_BYTES, linear_offset_bytes=0, frags=(crossing,) * frags)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """A LayoutSource: a tap in the source node, whose frames are routed, or bridged in dom0.

    What the receiver inspects are the headers behind a router. All layouts of `batch_packets`
    together are no longer than BATCH_MAX_BYTES.
    """

    batch_packets: int

    def send(
        self, lab: LabHandle, link: Link, layouts: Sequence[Layout], seed: int
    ) -> Iterator[Sighting]:
        """See LayoutSource. The node's module `tun` is loaded meanwhile."""
        if sum(layout.length_bytes for layout in layouts) > BATCH_MAX_BYTES:
            raise ValueError(f"more than {BATCH_MAX_BYTES} bytes at once overrun a vif's queue")
        bridge = lab.plan.network(link.networks[0]).bridge if link.source == DOM0 else ""
        flow = replace(flow_of(link), source4=BEYOND4)
        if bridge:
            flow = replace(flow, source_mac=BEYOND_MAC)
        elif link.sink == DOM0:
            flow = replace(flow, sink_mac=ANY_MAC)  # the bridge's own, which no plan tells
        orders = tuple(Order(layout=layout) for layout in layouts)
        batch = Batch(orders=orders, flow=flow, way=way_of(lab, link), seed=seed)

        def send(shell: Shell, batch: Batch, deadline: Deadline) -> SendReport:
            sent = replace(batch, flow=replace(batch.flow, source_mac=BEYOND_MAC))
            return _send_by_tap(shell, sent, bridge, deadline)

        deadline = lab.budget(RUN_S)
        source, sink = lab.shell(link.source), lab.shell(link.sink)
        post = Post(device=sink_device_of(lab, link))
        with _module_loaded(source, lab):
            delivery = deliver_batch(source, sink, batch, post, deadline, send)
        return read_sightings(delivery)


@contextmanager
def _module_loaded(shell: Shell, lab: LabHandle) -> Iterator[None]:
    shell.run(["modprobe", MODULE], deadline=lab.budget(RUN_S)).require_success()
    try:
        yield
    finally:
        shell.run(["rmmod", MODULE], deadline=lab.budget(RUN_S)).require_success()


def _send_by_tap(shell: Shell, batch: Batch, bridge: str, deadline: Deadline) -> SendReport:
    words = ["--device", DEVICE, *(("--bridge", bridge) if bridge else ())]
    done = shell.run(
        [XLSOURCE, "tap", *words, *words_of(batch, deadline)],
        deadline=deadline,
        stdin=encode_layouts(tuple(batch.layouts)),
    )
    (line,) = done.require_success().stdout.splitlines()
    return read_report(parse_account(f"xlsource on {shell.where}", line, batch.packets))
