"""Limits, offloads and MTUs of every device on a link: the traffic stays whole, the setting shows.

Needs: nothing that a stock lab has not; tracefs at each end. A setting that a device refuses is a
SKIP with the reason, and a link whose planned MTU is not 1500 has other edges than are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from xenlab.errors import XenlabError
from xenlab.measure.flow import FlowSpec
from xenlab.measure.flow_account import account_flows
from xenlab.plan.model import DOM0, LabPlan, Link
from xenlab.pytest_plugin import Judge, Show
from xenlab.tests.gso.cell import Cell
from xenlab.tests.gso.cells import (
    MTU_BYTES,
    SMALL_MTU_BYTES,
    TCP_MTU_MIN_BYTES,
    TCP_SIZES,
    TCP_SIZES_SMALL,
    UDP_SIZES,
    UDP_SIZES_SMALL,
    every_cell,
    limit_cells,
    plain_cell,
)
from xenlab.traffic.cells import Bench, CellRun, Way, open_bench
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.ladder import Extent, plan_flows
from xenlab.verdict.rules import judge_measurement
from xenlab.verdict.shapes import (
    SETTING_SHOWS,
    judge_claims,
    judge_limit,
    judge_refused,
    judge_segmented,
)
from xenlab.verdict.verdict import Verdict, verdict_of_error

Cells = Callable[[Way, Extent], tuple[Cell, ...]]
NO_TCP = f"Linux makes TCP packets of no fewer than {TCP_MTU_MIN_BYTES} bytes (TCP_MIN_SND_MSS)"


def test_traffic_is_whole_under_every_setting_and_the_setting_shows(
    lab: LabHandle, extent: Extent, judge: Judge, show: Show
) -> None:
    _run_cells(lab, longest_link(lab.plan), every_cell, extent, judge, show)


def test_limits_hold_for_what_dom0_itself_sends(
    lab: LabHandle, extent: Extent, judge: Judge, show: Show
) -> None:
    link = next(each for each in lab.plan.links() if each.source == DOM0 and each.sink_vif)
    _run_cells(lab, link, limit_cells, Extent.QUICK, judge, show)


def longest_link(plan: LabPlan) -> Link:
    """From domU to domU, where packets cross both kinds of rings; else from the only domU."""
    direct = [link for link in plan.links() if not link.routed and link.source_vif]
    return next((link for link in direct if link.sink_vif), direct[0])


def _run_cells(
    lab: LabHandle, link: Link, cells: Cells, extent: Extent, judge: Judge, show: Show
) -> None:
    runs: dict[str, CellRun] = {}
    with open_bench(lab, link) as bench:
        for cell in (plain_cell(bench.way), *cells(bench.way, extent)):
            subject = f"{link.source} -> {link.sink}, {cell.name}"
            try:
                runs[cell.name] = run = _run(bench, cell)
                for verdict in _judge(subject, cell, run, runs.get(cell.control)):
                    judge(verdict)
            except XenlabError as error:
                told = verdict_of_error(SETTING_SHOWS, subject, error)
                if told is None:
                    raise
                judge(told)
                continue
            if run.measurement is not None:
                for account in account_flows(run.measurement):
                    show(account)


def _run(bench: Bench, cell: Cell) -> CellRun:
    mtu_bytes = cell.mtu_bytes or MTU_BYTES
    return bench.run(cell.changes, flows_of(bench.link, mtu_bytes), mtu_bytes)


def flows_of(link: Link, mtu_bytes: int) -> tuple[FlowSpec, ...]:
    small = mtu_bytes <= SMALL_MTU_BYTES
    udp_sizes = UDP_SIZES_SMALL if small else UDP_SIZES
    tcp_sizes = TCP_SIZES_SMALL if small else TCP_SIZES
    carries_tcp = mtu_bytes >= TCP_MTU_MIN_BYTES
    return plan_flows(link, mtu_bytes, udp_sizes, tcp_sizes if carries_tcp else ())


def _judge(subject: str, cell: Cell, run: CellRun, without: CellRun | None) -> Iterator[Verdict]:
    if cell.beyond:
        yield judge_limit(subject, run.refused)
    if run.measurement is None:
        if not cell.beyond:
            yield judge_refused(subject, run.refused)
        return
    if cell.mtu_bytes and cell.mtu_bytes < TCP_MTU_MIN_BYTES:
        yield judge_refused(f"{subject}, TCP", [NO_TCP])
    judged = judge_measurement(run.measurement, segmented=cell.cut is not None)
    yield from (_under(subject, each) for each in judged)
    if cell.claims:
        yield judge_claims(subject, cell.claims, run.sight, without.sight if without else None)
    if cell.cut is not None:
        yield judge_segmented(subject, run.measurement, cell.cut.count(run.fed))


def _under(subject: str, verdict: Verdict) -> Verdict:
    return replace(verdict, subject=subject)
