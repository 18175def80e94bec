"""Flows over one link, sent, accounted for and judged: the ground that several suites stand on."""

from __future__ import annotations

from xenlab.measure.flow_account import account_flows
from xenlab.plan.model import Link
from xenlab.pytest_plugin import Judge, Show
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.ladder import Extent, plan_runs
from xenlab.traffic.measuring import measure_link
from xenlab.verdict.rules import judge_measurement


def send_and_judge_flows(
    lab: LabHandle, link: Link, extent: Extent, judge: Judge, show: Show
) -> None:
    """Every flow of a link's ladder: its packets are intact and accounted for at every hop."""
    for specs in plan_runs(link, extent):
        measurement = measure_link(lab, link, specs)
        for account in account_flows(measurement):
            show(account)
        for verdict in judge_measurement(measurement):
            judge(verdict)
