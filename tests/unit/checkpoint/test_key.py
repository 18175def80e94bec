"""The key of a checkpoint holds the drivers where they are loaded, and only there."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from xenlab.checkpoint.key import Ingredients, Level
from xenlab.plan.model import Accel, LabPlan
from xenlab.plan.planner import plan_lab
from xenlab.topology.loading import load_topology

STOCK = {"dom0": "", "alice": "", "bob": ""}


@pytest.fixture(scope="module")
def plan() -> LabPlan:
    return plan_lab(load_topology("pair"))


def digest(plan: LabPlan, level: Level, drivers: Mapping[str, str]) -> str:
    return Ingredients(
        plan=plan,
        images_digest="00",
        boot_texts={},
        machine_xml="<domain/>",
        accel=Accel.TCG,
        emulator=Path(sys.executable),
        drivers=drivers,
    ).digest(level)


def test_bare_lab_has_loaded_no_driver_so_all_drivers_share_it(plan: LabPlan) -> None:
    assert digest(plan, Level.BARE, {}) == digest(plan, Level.BARE, {**STOCK, "alice": "ff"})


def test_connected_lab_is_another_for_each_driver_and_each_node_with_it(plan: LabPlan) -> None:
    chosen = [STOCK, {**STOCK, "alice": "ff"}, {**STOCK, "bob": "ff"}, {**STOCK, "alice": "00"}]

    assert len({digest(plan, Level.CONNECTED, drivers) for drivers in chosen}) == 4


def test_stock_drivers_that_were_named_are_stock_drivers(plan: LabPlan) -> None:
    assert digest(plan, Level.CONNECTED, STOCK) == digest(plan, Level.CONNECTED, {})
