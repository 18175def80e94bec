"""A driver domain that goes under traffic comes back, and every packet lost has its place.

It is killed, or all vifs that it serves are unplugged, on both sides of it.

Needs: a topology with a driver domain behind a router, as `driver-domain` has. `--repeat 7` kills
it more than twenty times.
"""

from __future__ import annotations

import pytest

from xenlab.measure.flow_account import account_flows
from xenlab.pytest_plugin import Judge, Show
from xenlab.traffic.consoles import judge_node_console
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.ladder import Extent, plan_runs
from xenlab.traffic.measuring import measure_link
from xenlab.traffic.outage import Going, find_outage, measure_outage
from xenlab.verdict.outage import judge_outage, skip_without_driver_domain
from xenlab.verdict.rules import judge_measurement

TIMES = (*((Going.KILLED, n) for n in (1, 2, 3)), (Going.UNPLUGGED, 1))


@pytest.mark.parametrize(("going", "time"), TIMES, ids=[f"{how}-{n}" for how, n in TIMES])
def test_what_is_lost_is_lost_while_the_backend_is_away_and_nothing_afterwards(
    lab: LabHandle, going: Going, time: int, judge: Judge, show: Show
) -> None:
    found = find_outage(lab.plan)
    if found is None:
        judge(skip_without_driver_domain(lab.plan))
        return
    link, backend = found
    judge(judge_outage(measure_outage(lab, link, backend, going)))
    lab.restore_silence()
    for specs in plan_runs(link, Extent.QUICK):
        measurement = measure_link(lab, link, specs)
        for account in account_flows(measurement):
            show(account)
        for verdict in judge_measurement(measurement):
            judge(verdict)


def test_no_kernel_has_written_of_a_fault_since_power_on(
    lab: LabHandle, node: str, judge: Judge
) -> None:
    judge(judge_node_console(lab, node))
