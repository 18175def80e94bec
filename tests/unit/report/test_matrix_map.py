"""The heat map of set-ups: a line for each that ran, what did not pass told below."""

from __future__ import annotations

from xenlab.report.heat_map_text import render_heat_map
from xenlab.report.matrix_map import view_matrices
from xenlab.report.results import SuiteRun
from xenlab.verdict.iommu import IOMMU_AS_ASKED
from xenlab.verdict.mode import MODES_AS_ASKED
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict


def run_of(topology: str, asked: str, *more: Verdict, outcome: Outcome = Outcome.PASS) -> SuiteRun:
    evidence = Verdict(rule=IOMMU_AS_ASKED, subject=asked, outcome=outcome)
    return SuiteRun(
        name=f"iommu on {topology}", environment={"topology": topology},
        verdicts=(evidence, *more),
    )  # fmt: skip


def bounced(outcome: Outcome) -> Verdict:
    return Verdict(rule="bounces", subject="dom0 -> peer", outcome=outcome, reasons=("1 bounces",))


RELAXED = run_of("iommu-i1", "iommu intel, dom0 pv relaxed", bounced(Outcome.PASS))
STRICT = run_of("iommu-i2", "iommu intel, dom0 pv strict", bounced(Outcome.FAIL))
PVH = run_of("iommu-i4", "iommu intel, dom0 pvh strict", outcome=Outcome.LAB_ERROR)


def test_map_has_a_line_for_each_set_up_and_a_column_for_each_rule() -> None:
    (heat_map,) = view_matrices((RELAXED, STRICT, PVH))

    assert heat_map.title == "IOMMU set-ups"
    (block,) = heat_map.blocks
    assert block.heads == (IOMMU_AS_ASKED, "bounces")
    assert [line.name for line in block.lines] == [
        "iommu-i1: iommu intel, dom0 pv relaxed",
        "iommu-i2: iommu intel, dom0 pv strict",
        "iommu-i4: iommu intel, dom0 pvh strict",
    ]
    assert [[cell.text for cell in line.cells] for line in block.lines] == [
        ["PASS 1", "PASS 1"],
        ["PASS 1", "FAIL 1"],
        ["LAB_ERROR 1", "-"],
    ]


def test_what_did_not_pass_is_told_below() -> None:
    (heat_map,) = view_matrices((RELAXED, STRICT, PVH))

    story = "\n".join(render_heat_map(heat_map))
    assert "iommu-i2: iommu intel, dom0 pv strict: FAIL bounces, dom0 -> peer: 1 bounces" in story
    assert heat_map.summary == "LAB_ERROR: 3 set-ups, 1 PASS, 1 FAIL, 1 LAB_ERROR"


def test_one_set_up_and_runs_without_any_are_no_map() -> None:
    other = SuiteRun(name="smoke on pair", environment={}, verdicts=(bounced(Outcome.PASS),))

    assert list(view_matrices((RELAXED, other))) == []
    assert list(view_matrices(())) == []


def test_modes_have_a_map_of_their_own() -> None:
    def in_mode(topology: str, asked: str) -> SuiteRun:
        verdict = Verdict(rule=MODES_AS_ASKED, subject=asked, outcome=Outcome.PASS)
        return SuiteRun(name="modes", environment={"topology": topology}, verdicts=(verdict,))

    modes = (in_mode("pair", "alice pv"), in_mode("pair-pvh", "alice pvh"))

    (heat_map,) = view_matrices((*modes, RELAXED))
    assert heat_map.title == "Modes"
    assert [line.name for line in heat_map.blocks[0].lines] == [
        "pair: alice pv",
        "pair-pvh: alice pvh",
    ]
