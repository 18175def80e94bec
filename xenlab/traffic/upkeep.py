"""Runs that show what a driver does beside carrying packets."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xenlab.guest.probes import GROUP, Histogram, Probe
from xenlab.guest.reading import read_node_files
from xenlab.guest.tracing import Tracing, tracing
from xenlab.measure.layouts import Landing
from xenlab.measure.readings import Growth, Readings, subtract
from xenlab.measure.upkeep import (
    LOOKS,
    PAGES_ASKED,
    PAGES_TAKEN,
    CopiesRun,
    LooksRun,
    MulticastRun,
    PagesRun,
)
from xenlab.plan.model import DOM0, Link
from xenlab.slots.layout import Layout
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.ladder import Extent, plan_runs
from xenlab.traffic.layouts import send_layouts
from xenlab.traffic.measuring import measure_link
from xenlab.traffic.observing import observing
from xenlab.transport.shell import Shell

READ_S = 30.0
PING_S = 30.0
ALL_NODES = "ff02::1"
ANSWER = re.compile(r"\d+ bytes from (?P<address>[0-9a-f:]+?)(?:%\w+)?: icmp_seq=")

Watched = tuple[str, Sequence[Probe]]

TAKEN_PROBE = Probe(
    event="page_pool/page_pool_state_hold",
    counts="pages that pools get new, by pool",
    source="net/core/page_pool.c, page_pool_alloc_pages_slow",
    histograms=(Histogram(table=PAGES_TAKEN, keys=("pool",)),),
)
ASKED_PROBE = Probe(
    event=f"{GROUP}/asked",
    symbol="page_pool_alloc_pages",
    counts="pages that a driver asks a pool for, by where",
    source="NF:281",
    histograms=(Histogram(table=PAGES_ASKED, keys=("__probe_ip",)),),
)
LOOKS_PROBE = Probe(
    event=f"{GROUP}/looks",
    symbol="xen_netfront:xennet_tx_buf_gc",
    returning=True,
    arguments=("found=$retval:u8",),
    counts="looks for the backend's answers, by whether they found one",
    source="NF:387",
    histograms=(Histogram(table=LOOKS, keys=("found",)),),
)


def count_pages(lab: LabHandle, link: Link, layouts: Sequence[Layout], *, seed: int) -> PagesRun:
    """Send to a guest, the composers being loaded, and count what its pool takes new."""
    probes = (TAKEN_PROBE, ASKED_PROBE)
    grown, lost = _send_counted(lab, link, layouts, (link.sink, probes), seed)
    return PagesRun(
        subject=f"{link.source} -> {link.sink}",
        packets=len(layouts),
        lost=lost,
        pages_asked=grown.hits(PAGES_ASKED),
        pages_taken=grown.hits(PAGES_TAKEN),
    )


def count_looks(lab: LabHandle, link: Link, layouts: Sequence[Layout], *, seed: int) -> LooksRun:
    """Send from a guest, the composers being loaded, and count its looks for answers."""
    grown, lost = _send_counted(lab, link, layouts, (link.source, (LOOKS_PROBE,)), seed)
    return LooksRun(
        subject=f"{link.source} -> {link.sink}",
        packets=len(layouts),
        lost=lost,
        looks=grown.hits(LOOKS),
        in_vain=grown.hits(LOOKS, lambda key: key == ("0",)),
    )


def count_copies(lab: LabHandle, passed: Link, kept: Link) -> CopiesRun:
    """Verified flows from one guest to another, and to dom0: what its vif says of copies."""
    counted = [_count_zerocopy(lab, link) for link in (passed, kept)]
    (passed_sent, passed_copied), (kept_sent, kept_copied) = counted
    return CopiesRun(
        subject=f"{passed.source} -> {passed.sink} and {kept.sink}",
        passed_sent=passed_sent,
        passed_copied=passed_copied,
        kept_sent=kept_sent,
        kept_copied=kept_copied,
    )


def call_all_nodes(lab: LabHandle, node: str, device: str, others: Sequence[str]) -> MulticastRun:
    """Ping the address of all nodes on a device's link, and see who answers."""
    argv = ["ping", "-6", "-n", "-c2", "-W5", f"{ALL_NODES}%{device}"]
    answer = lab.shell(node).run(argv, deadline=lab.budget(PING_S))
    return MulticastRun(
        subject=f"{node} {device}", asked=tuple(others), answered=parse_answers(answer.text)
    )


def parse_answers(text: str) -> tuple[str, ...]:
    """The addresses that answered, as ping(8) of iputils tells."""
    found = map(ANSWER.match, text.splitlines())
    return tuple(dict.fromkeys(match["address"] for match in found if match))


def _send_counted(
    lab: LabHandle, link: Link, layouts: Sequence[Layout], watched: Watched, seed: int
) -> tuple[Growth, int]:
    node, wanted = watched
    shell = lab.shell(node)
    with tracing(shell, wanted, lab.budget(READ_S)) as probes:
        before = _read(lab, shell, probes)
        run = send_layouts(lab, link, layouts, seed=seed)
        grown = subtract(before, _read(lab, shell, probes))
    return grown, len(layouts) - run.landings[Landing.WHOLE]


def _read(lab: LabHandle, shell: Shell, probes: Tracing) -> Readings:
    return probes.read(read_node_files(shell, probes.patterns, (), lab.budget(READ_S)))


def _count_zerocopy(lab: LabHandle, link: Link) -> tuple[int, int]:
    """By how much tx_zerocopy_sent and tx_zerocopy_fail of the source's vif grew at rest."""
    assert link.source != DOM0, link
    (flows,) = plan_runs(link, Extent.QUICK)
    with observing(lab, link, probes=False) as observer:
        measure_link(lab, link, flows)
        observation = observer.read()
    return (
        observation.source_vif_counter("tx_zerocopy_sent"),
        observation.source_vif_counter("tx_zerocopy_fail"),
    )
