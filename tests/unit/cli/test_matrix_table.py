"""The matrices: every cell has a line, with the system's own words or the reason why not."""

from __future__ import annotations

from xenlab.cli.matrix_table import MATRICES, Matrix, render_cells
from xenlab.cli.suite_order import SuiteOrder
from xenlab.plan.planner import plan_lab
from xenlab.report.results import SuiteRun
from xenlab.topology.loading import load_topology
from xenlab.topology.matrix import IOMMU_CELLS, MODE_CELLS
from xenlab.verdict.iommu import IOMMU_AS_ASKED, describe_asked
from xenlab.verdict.mode import describe_modes
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

SAYS = "Xen's log: I/O virtualisation enabled; - Dom0 mode: Strict"


def run_of(topology: str, *verdicts: Verdict) -> SuiteRun:
    return SuiteRun(
        name=f"iommu on {topology}", environment={"topology": topology}, verdicts=verdicts
    )


def judged(outcome: Outcome, *reasons: str) -> Verdict:
    return Verdict(
        rule=IOMMU_AS_ASKED, subject="iommu intel, dom0 pv strict", outcome=outcome,
        reasons=reasons, control=SAYS,
    )  # fmt: skip


def line_of(cell: str, *runs: SuiteRun) -> str:
    (line,) = [
        each for each in render_cells(MATRICES["iommu"], runs) if each.startswith(f"{cell} ")
    ]
    return line


def test_cells_are_those_of_the_matrix_and_differ_in_what_they_ask_for() -> None:
    assert [cell.name for cell in IOMMU_CELLS] == [f"I{number}" for number in range(10)]
    asked = {
        cell.name: describe_asked(plan_lab(load_topology(cell.topology)))
        for cell in IOMMU_CELLS
        if cell.topology
    }
    assert asked == {
        "I0": "iommu none, dom0 pv without IOMMU",
        "I1": "iommu intel, dom0 pv relaxed",
        "I2": "iommu intel, dom0 pv strict",
        "I3": "iommu intel, dom0 pv passthrough",
        "I4": "iommu intel, dom0 pvh strict",
        "I5": "iommu intel, interrupt remapping, dom0 pv relaxed",
        "I6": "iommu amd, interrupt remapping, dom0 pv relaxed",
        "I7": "iommu intel, dom0 pv relaxed, NIC in netvm",
        "I8": "iommu intel, iommu=off, dom0 pv without IOMMU",
    }
    assert all(cell.why_not for cell in IOMMU_CELLS if not cell.topology)
    assert all(
        plan_lab(load_topology(cell.topology)).uplink for cell in IOMMU_CELLS if cell.topology
    )


def test_passed_cell_shows_xens_own_words() -> None:
    line = line_of("I2", run_of("iommu-i2", judged(Outcome.PASS)))
    assert "PASS" in line
    assert "- Dom0 mode: Strict" in line


def test_failed_cell_shows_its_first_reason() -> None:
    line = line_of("I2", run_of("iommu-i2", judged(Outcome.LAB_ERROR, "it is relaxed")))
    assert "LAB_ERROR" in line
    assert "it is relaxed" in line


def test_cell_without_a_run_says_so_and_one_without_a_topology_says_why() -> None:
    assert "not run" in line_of("I1", run_of("iommu-i2", judged(Outcome.PASS)))
    assert "Xen has no driver" in line_of("I9")


def test_modes_are_each_asked_for_by_a_topology_or_have_a_reason_why_not() -> None:
    asked = {
        cell.name: describe_modes(plan_lab(load_topology(cell.topology)))
        for cell in MODE_CELLS
        if cell.topology
    }
    assert asked == {
        "pv": "dom0 pv, alice pv, bob pv",
        "pvh": "dom0 pv, alice pvh, bob pvh",
        "queues-1-2": "dom0 pv, alice pv (eth0: 1 queues), bob pv (eth0: 2 queues)",
        "queues-3-4": "dom0 pv, alice pv (eth0: 3 queues), bob pv (eth0: 4 queues)",
        "untrusted": "dom0 pv, alice pv (eth0: untrusted), bob pv",
        "dom0-pvh": "dom0 pvh, alice pvh, bob pv",
        "pvshim": "dom0 pv, alice pvshim, bob pv",
        "hvm": "dom0 pv, alice hvm, bob pv",
    }
    assert all(cell.why_not for cell in MODE_CELLS if not cell.topology)


def test_only_a_suite_by_itself_goes_through_its_matrix() -> None:
    def matrix(*words: str) -> Matrix | None:
        order = SuiteOrder.parse(
            words, keyword="", quick=True, plant=None, plant_every=None, repeat=1
        )
        return order.matrix

    assert matrix("iommu") is MATRICES["iommu"]
    assert matrix("modes") is MATRICES["modes"]
    assert matrix("smoke") is matrix("smoke", "iommu") is matrix("iommu", "modes") is None
