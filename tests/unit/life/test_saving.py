"""What keeps a checkpoint from being saved: a console that tells of a stall."""

from __future__ import annotations

from pathlib import Path

import pytest

from xenlab.life.saving import find_stall
from xenlab.plan.model import LabPlan
from xenlab.plan.planner import plan_lab
from xenlab.registry.places import LabPlaces
from xenlab.topology.loading import load_topology
from xenlab.verdict.console import scan_console

# bob's console while two cores ran seven labs, Linux 6.1.0-56-amd64 under Xen in QEMU/TCG.
STARVED = """\
[  606.379995] clocksource: Long readout interval, skipping watchdog check: cs_nsec: 78355631578
[  649.685201] watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [swapper/0:1]
[  649.685636] CPU: 0 PID: 1 Comm: swapper/0 Tainted: G             L     6.1.0-56-amd64 #1
[  649.686244] Call Trace:
[  649.686278]  <TASK>
[  649.686378]  ptdump_pte_entry+0x52/0x60
[  649.686522]  walk_pgd_range+0x7e8/0xa90
[  649.686860]  </TASK>
xenlab: bob is ready
"""
WARNING = """\
[    1.685201] WARNING: CPU: 0 PID: 1 at net/core/dev.c:1 something+0x1/0x2
[    1.686244] Call Trace:
[    1.686378]  something+0x52/0x60
"""


@pytest.fixture(scope="module")
def plan() -> LabPlan:
    return plan_lab(load_topology("pair"))


@pytest.fixture
def places(tmp_path: Path, plan: LabPlan) -> LabPlaces:
    places = LabPlaces(name="pair", state=tmp_path, run=tmp_path / "run", cache=tmp_path / "cache")
    places.logs.mkdir()
    for node in plan.node_names:
        places.console_log(node).write_text(f"xenlab: {node} is ready\n")
    return places


def test_lab_in_which_nothing_stalled_may_be_saved(plan: LabPlan, places: LabPlaces) -> None:
    assert find_stall(plan, places) == ""
    places.console_log("bob").write_text(WARNING)
    assert scan_console("bob", WARNING.encode())
    assert find_stall(plan, places) == ""


def test_lockup_of_one_domu_is_told_by_name(plan: LabPlan, places: LabPlaces) -> None:
    places.console_log("bob").write_text(STARVED)

    assert find_stall(plan, places).startswith(
        "its consoles would tell every lab of a soft lockup in bob:"
    )
