"""The same packets of a guest without a rate limit and with one."""

from __future__ import annotations

from collections.abc import Sequence

from xenlab.guest.probes import Histogram, Probe
from xenlab.guest.reading import read_node_files
from xenlab.guest.tracing import Tracing, tracing
from xenlab.measure.rate import POLLS, RatedRun, RateTrial
from xenlab.measure.readings import Growth, Readings, subtract
from xenlab.plan.model import DOM0, Link
from xenlab.slots.layout import Layout
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.layouts import COMPOSER
from xenlab.xen.rate import Rate, rate_limited
from xenlab.xen.vif import Vif

READ_S = 30.0
# Linux lets a queue save up that much (drivers/net/xen-netback/netback.c, tx_add_credit).
BURST_BYTES = 131072
# The limit has to bite on a host of any speed: it makes of the time without it as many times more.
SLOWER = 3
LIMITED_MIN_US = 800_000
PERIOD_US = 100_000


def try_rate(lab: LabHandle, link: Link, layouts: Sequence[Layout], *, seed: int) -> RateTrial:
    """Send all layouts twice, the composers being loaded. Raises LabError, MeasurementError.

    They have to be more than a queue may save up.
    """
    assert link.source_vif is not None
    vif = lab.vif(link.source, link.source_vif.index)
    dom0 = lab.shell(DOM0)
    with tracing(dom0, [_poll_probe(vif)], lab.budget(READ_S)) as probes:
        free = _send(lab, link, layouts, probes, seed)
        rate = choose_rate(free.payload_bytes, free.elapsed_us)
        with rate_limited(dom0, Vif.parse(vif), rate, lab.budget(READ_S)):
            limited = _send(lab, link, layouts, probes, seed)
    return RateTrial(
        subject=f"{link.source} -> {link.sink}, rate limited",
        bytes_per_s=rate.bytes_per_s,
        burst_bytes=BURST_BYTES + rate.credit_bytes,
        free=free,
        limited=limited,
    )


def choose_rate(payload_bytes: int, free_us: int) -> Rate:
    """A limit under which so many bytes, less the burst, take some times what they took without."""
    limited_us = max(LIMITED_MIN_US, SLOWER * free_us)
    return Rate(
        credit_bytes=max(1, (payload_bytes - BURST_BYTES) * PERIOD_US // limited_us),
        credit_us=PERIOD_US,
    )


def _send(
    lab: LabHandle, link: Link, layouts: Sequence[Layout], probes: Tracing, seed: int
) -> RatedRun:
    before = _read(lab, probes)
    delivery = COMPOSER.deliver(lab, link, layouts, seed)
    grown: Growth = subtract(before, _read(lab, probes))
    report = delivery.send_report
    report.require_all_given(link.source)
    ends_us = [sent.submit_us + sent.latency_us for sent in report.sent]
    return RatedRun(
        packets=len(layouts),
        payload_bytes=sum(layout.length_bytes for layout in layouts),
        lost=sum(not fate.complete for fate in delivery.fates),
        elapsed_us=max(ends_us) - min(sent.submit_us for sent in report.sent),
        polls=grown.hits(POLLS),
    )


def _read(lab: LabHandle, probes: Tracing) -> Readings:
    shell = lab.shell(DOM0)
    return probes.read(read_node_files(shell, probes.patterns, (), lab.budget(READ_S)))


def _poll_probe(vif: str) -> Probe:
    return Probe(
        event="napi/napi_poll",
        counts="calls of a device's NAPI poll function",
        source="net/core/dev.c, __napi_poll",
        histograms=(Histogram(table=POLLS, keys=("budget",), condition=f'dev_name=="{vif}"'),),
    )
