"""Tolls: two layouts sent in turns, timed with no probe set, then counted with all of them."""

from __future__ import annotations

from collections.abc import Sequence

from xenlab.errors import MeasurementError
from xenlab.guest.cpu import read_busy_ns
from xenlab.measure.penalties import COPIES, FRAG_LISTS, MAPS, Penalties
from xenlab.measure.toll import Toll, TollCounts, TollMeter, TollRound
from xenlab.plan.model import DOM0, Link
from xenlab.slots.backend import Acceptance
from xenlab.slots.fate import predict
from xenlab.slots.layout import Layout
from xenlab.slots.limits import Limits
from xenlab.traffic.composer.batch import Batch, Order
from xenlab.traffic.composer.delivery import Delivery, deliver_batch
from xenlab.traffic.composer.receiver import Post
from xenlab.traffic.composer.route import flow_of, sink_device_of, way_of
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.observing import observing

RUN_S = 60.0
READ_S = 20.0
PACKETS_A_SECOND = 200
TABLES = (FRAG_LISTS, COPIES, MAPS)


def meter_toll(
    lab: LabHandle,
    link: Link,
    layouts: tuple[Layout, Layout],
    *,
    limits: Limits,
    packets: int,
    rounds: int,
) -> TollMeter:
    """Meter the second layout beside the first, over a link whose ends have the composer.

    Raises LabError, MeasurementError for what could not be counted, and ValueError for a layout
    that does not come as far as netback.
    """
    accepted = [_accepted(layout, limits) for layout in layouts]
    timed: list[list[TollRound]] = [[], []]
    for number in range(rounds):
        # Which of the two comes first must not matter.
        for place in (0, 1) if number % 2 == 0 else (1, 0):
            timed[place].append(_time(lab, link, layouts[place], packets))
    counted = [_count(lab, link, layout, packets) for layout in layouts]
    plain, taxed = (
        Toll(layout=layout, accepted=each, counts=counts, rounds=tuple(taken))
        for layout, each, counts, taken in zip(layouts, accepted, counted, timed, strict=True)
    )
    subject = f"{link.source} -> {link.sink}, T = {taxed.accepted.slots} beside"
    return TollMeter(subject=f"{subject} {plain.accepted.slots}", plain=plain, taxed=taxed)


def _accepted(layout: Layout, limits: Limits) -> Acceptance:
    accepted = predict(layout, limits).acceptance
    if accepted is None:
        raise ValueError(f"`{layout}` is dropped by netfront")
    return accepted


def _time(lab: LabHandle, link: Link, layout: Layout, packets: int) -> TollRound:
    deadline = lab.budget(READ_S)
    before_ns = read_busy_ns(lab.shell(DOM0), deadline)
    delivery = _deliver(lab, link, layout, packets)
    busy_ns = read_busy_ns(lab.shell(DOM0), lab.budget(READ_S)) - before_ns
    sent = delivery.send_report.sent
    last_us = max(each.submit_us + each.latency_us for each in sent)
    return TollRound(
        packets=packets,
        elapsed_us=last_us - min(each.submit_us for each in sent),
        busy_ns=busy_ns,
        lost=_lost(delivery),
    )


def _count(lab: LabHandle, link: Link, layout: Layout, packets: int) -> TollCounts:
    with observing(lab, link, probes=True, tables=TABLES) as observer:
        delivery = _deliver(lab, link, layout, packets)
        observation = observer.read()
    penalties = Penalties(observation=observation)
    ended = ("tx_zerocopy_success", "tx_zerocopy_fail")
    return TollCounts(
        packets=packets,
        frag_overflow=observation.source_vif_counter("tx_frag_overflow"),
        frag_lists=penalties.frag_lists,
        zerocopy_sent=observation.source_vif_counter("tx_zerocopy_sent"),
        zerocopy_ended=sum(observation.source_vif_counter(name) for name in ended),
        copies=penalties.copies,
        maps=penalties.maps,
        lost=_lost(delivery),
    )


def _deliver(lab: LabHandle, link: Link, layout: Layout, packets: int) -> Delivery:
    order = Order(layout=layout, repeat=packets)
    batch = Batch(orders=(order,), flow=flow_of(link), way=way_of(lab, link))
    post = Post(device=sink_device_of(lab, link))
    deadline = lab.budget(RUN_S + packets / PACKETS_A_SECOND)
    delivery = deliver_batch(lab.shell(link.source), lab.shell(link.sink), batch, post, deadline)
    report = delivery.send_report
    report.require_all_given(link.source)
    if report.outstanding:
        raise MeasurementError(f"{report.outstanding} skbs of the sender are still out")
    return delivery


def _lost(delivery: Delivery) -> int:
    fates: Sequence[bool] = [fate.complete for fate in delivery.fates]
    return fates.count(False)
