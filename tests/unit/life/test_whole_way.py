"""Every kernel of a lab built here, with a series on it, or as its control without one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.kernel.test_patch_series import GOOD, write
from tests.unit.life.test_phases import Notes
from xenlab.kernel.patch_series import PatchSeries
from xenlab.life.order import UpOrder
from xenlab.life.phases import Phases
from xenlab.life.whole_way import order_whole
from xenlab.plan.model import KernelOrigin, LabPlan
from xenlab.topology.kernel_origin import KernelKind

ORDER = UpOrder(topology="pair")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "ca+che"))


@pytest.fixture
def series(tmp_path: Path) -> PatchSeries:
    return PatchSeries.read(write(tmp_path, GOOD, "x.patch"))


def origins(plan: LabPlan) -> dict[str, KernelOrigin]:
    names = {"dom0": plan.dom0.kernel, **{domu.name: domu.kernel for domu in plan.domus}}
    return {node: plan.kernel(name).origin for node, name in names.items()}


def plan_of(order: UpOrder, series: PatchSeries | None) -> LabPlan:
    return order_whole(order, series, Phases(watcher=Notes())).plan()


def test_every_node_boots_what_its_control_is_built_from_and_the_series(
    series: PatchSeries,
) -> None:
    base, patched = origins(plan_of(ORDER, None)), origins(plan_of(ORDER, series))

    assert set(base) == {"dom0", "alice", "bob"}
    for node, control in base.items():
        assert control.kind is KernelKind.SOURCE
        (folder,) = patched[node].patches
        assert replace(patched[node], patches=(), configs=("base",)) == control
        assert PatchSeries.read(Path(folder)).digests == series.digests


def test_same_series_from_elsewhere_gives_the_same_lab(series: PatchSeries, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    same = PatchSeries.read(write(tmp_path / "elsewhere", GOOD, "y.patch"))

    assert plan_of(ORDER, series) == plan_of(ORDER, same)
    assert plan_of(ORDER, series) != plan_of(ORDER, None)


def test_kernels_that_were_asked_for_are_the_base(series: PatchSeries) -> None:
    order = replace(ORDER, dom0_kernel="sid+debug", domu_kernel=("alice=trixie",))
    base, patched = origins(plan_of(order, None)), origins(plan_of(order, series))

    assert {node: origin.suite for node, origin in base.items()} == {
        "dom0": "sid", "alice": "trixie", "bob": "bookworm"
    }  # fmt: skip
    assert base["dom0"].configs == patched["dom0"].configs == ("debug",)
    assert base["dom0"].patches == ()
    assert len(patched["dom0"].patches) == 1
