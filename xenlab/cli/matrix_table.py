"""The set-ups of a matrix as one table: what each was, how it ended, and its evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from xenlab.cli.results import Results
from xenlab.report.columns import render_columns
from xenlab.report.results import SuiteRun
from xenlab.topology.matrix import ADJACENT_CELLS, IOMMU_CELLS, MODE_CELLS, Cell
from xenlab.verdict.iommu import IOMMU_AS_ASKED
from xenlab.verdict.mode import MODES_AS_ASKED
from xenlab.verdict.outcome import Outcome, combine
from xenlab.verdict.verdict import Verdict

HEAD = ("CELL", "TOPOLOGY", "OUTCOME", "SET-UP", "EVIDENCE OR REASON")
REASON_SHOWN_CHARS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """What a suite goes through, and the rule by which a set-up is the one that was asked for."""

    what: str
    rule: str
    cells: tuple[Cell, ...]

    @property
    def topologies(self) -> tuple[str, ...]:
        """Those of the cells that have one."""
        return tuple(cell.topology for cell in self.cells if cell.topology)


# By the suite that is asked for by itself.
MATRICES: Mapping[str, Matrix] = {
    "iommu": Matrix(what="iommu set-ups", rule=IOMMU_AS_ASKED, cells=IOMMU_CELLS),
    "adjacent": Matrix(what="iommu set-ups", rule=IOMMU_AS_ASKED, cells=ADJACENT_CELLS),
    "modes": Matrix(what="modes", rule=MODES_AS_ASKED, cells=MODE_CELLS),
}


def note_skipped_cells(results: Results, matrix: Matrix) -> None:
    """A run of its own with a skip for each cell that has no topology."""
    skipped = [cell for cell in matrix.cells if not cell.topology]
    if skipped:
        results.begin(f"{matrix.what} that are left out", {})
        results.note(
            [
                Verdict(
                    rule=matrix.rule, subject=cell.name, outcome=Outcome.SKIP,
                    reasons=(cell.why_not,),
                )
                for cell in skipped
            ]
        )  # fmt: skip


def render_cells(matrix: Matrix, runs: Sequence[SuiteRun]) -> Iterator[str]:
    """One line a cell; a cell whose tests came to nothing has no outcome."""
    yield ""
    yield from render_columns(HEAD, [_row(cell, matrix.rule, runs) for cell in matrix.cells])


def _row(cell: Cell, rule: str, runs: Sequence[SuiteRun]) -> tuple[str, ...]:
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
    judged = [verdict for verdict in verdicts if verdict.rule == rule]
    set_up = judged[0].subject if judged else ""
    evidence = judged[0].control if judged else ""
    bad = [each for each in verdicts if each.outcome is outcome and outcome is not Outcome.PASS]
    reasons = bad[0].reasons if bad else ()
    return (cell.name, cell.topology, outcome.value, set_up, _cut("; ".join(reasons)) or evidence)


def _cut(text: str) -> str:
    return text if len(text) <= REASON_SHOWN_CHARS else f"{text[: REASON_SHOWN_CHARS - 3]}..."
