"""The matrix of IOMMU set-ups as one table: what each was, how it ended, and its evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xenlab.cli.results import Results
from xenlab.report.columns import render_columns
from xenlab.report.results import SuiteRun
from xenlab.topology.iommu_cells import IommuCell
from xenlab.verdict.iommu import IOMMU_AS_ASKED
from xenlab.verdict.outcome import Outcome, combine
from xenlab.verdict.verdict import Verdict

HEAD = ("CELL", "TOPOLOGY", "OUTCOME", "SET-UP", "EVIDENCE OR REASON")
REASON_SHOWN_CHARS = 90


def note_skipped_cells(results: Results, cells: Sequence[IommuCell]) -> None:
    """A run of its own with a skip for each cell that has no topology."""
    skipped = [cell for cell in cells if not cell.topology]
    if skipped:
        results.begin("iommu set-ups that are left out", {})
        results.note(
            [
                Verdict(
                    rule=IOMMU_AS_ASKED, subject=cell.name, outcome=Outcome.SKIP,
                    reasons=(cell.why_not,),
                )
                for cell in skipped
            ]
        )  # fmt: skip


def render_cells(cells: Sequence[IommuCell], runs: Sequence[SuiteRun]) -> Iterator[str]:
    """One line a cell; a cell whose tests came to nothing has no outcome."""
    yield ""
    yield from render_columns(HEAD, [_row(cell, runs) for cell in cells])


def _row(cell: IommuCell, runs: Sequence[SuiteRun]) -> tuple[str, ...]:
    if not cell.topology:
        return (cell.name, "-", Outcome.SKIP.value, "", cell.why_not)
    verdicts = [
        verdict
        for run in runs
        if run.environment.get("topology") == cell.topology
        for verdict in run.verdicts
    ]
    if not verdicts:
        return (cell.name, cell.topology, "not run", "", "")
    outcome = combine(verdict.outcome for verdict in verdicts)
    judged = [verdict for verdict in verdicts if verdict.rule == IOMMU_AS_ASKED]
    set_up = judged[0].subject if judged else ""
    evidence = judged[0].control if judged else ""
    bad = [each for each in verdicts if each.outcome is outcome and outcome is not Outcome.PASS]
    reasons = bad[0].reasons if bad else ()
    return (cell.name, cell.topology, outcome.value, set_up, _cut("; ".join(reasons)) or evidence)


def _cut(text: str) -> str:
    return text if len(text) <= REASON_SHOWN_CHARS else f"{text[: REASON_SHOWN_CHARS - 3]}..."
