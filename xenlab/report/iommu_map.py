"""The matrix of IOMMU set-ups as a heat map: a line for each that ran, a column for each rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from xenlab.report.heat_map import HeatBlock, HeatCell, HeatLine, HeatMap
from xenlab.report.results import SuiteRun
from xenlab.report.rows import printable
from xenlab.report.verdict_row import SYMBOLS
from xenlab.report.wording import say_count
from xenlab.verdict.iommu import IOMMU_AS_ASKED
from xenlab.verdict.outcome import Outcome, combine
from xenlab.verdict.verdict import Verdict

TITLE = "IOMMU set-ups"
ABOUT = "Set-ups in rows, as they were asked for and proved; rules in columns, with their verdicts."
CORNER = "set-up"
REASON_CHARS = 300


def view_iommu(runs: Sequence[SuiteRun]) -> HeatMap | None:
    """The map of the runs that judged an IOMMU; None where there are fewer than two."""
    judged = [run for run in runs if any(_is_evidence(verdict) for verdict in run.verdicts)]
    if len(judged) < 2:  # noqa: PLR2004 (one is no matrix)
        return None
    rules = tuple(dict.fromkeys(verdict.rule for run in judged for verdict in run.verdicts))
    lines = tuple(_line(run, rules) for run in judged)
    return HeatMap(
        title=TITLE,
        about=ABOUT,
        blocks=(HeatBlock(title="", corner=CORNER, heads=rules, lines=lines),),
        findings=tuple(_tell_findings(judged)),
        summary=_summarise(judged),
    )


def _is_evidence(verdict: Verdict) -> bool:
    return verdict.rule == IOMMU_AS_ASKED


def _line(run: SuiteRun, rules: Sequence[str]) -> HeatLine:
    cells = (_cell([each for each in run.verdicts if each.rule == rule]) for rule in rules)
    return HeatLine(name=_name(run), cells=tuple(cells))


def _name(run: SuiteRun) -> str:
    """Such as `iommu-i2: iommu intel, dom0 pv strict`."""
    asked = next(verdict.subject for verdict in run.verdicts if _is_evidence(verdict))
    topology = run.environment.get("topology", "")
    return printable(f"{topology}: {asked}" if topology else asked)


def _cell(verdicts: Sequence[Verdict]) -> HeatCell:
    if not verdicts:
        return HeatCell(text="-", outcome="", symbol="")
    outcome = combine(verdict.outcome for verdict in verdicts)
    count = sum(verdict.outcome is outcome for verdict in verdicts)
    return HeatCell(text=f"{outcome} {count}", outcome=str(outcome), symbol=SYMBOLS[outcome])


def _tell_findings(runs: Sequence[SuiteRun]) -> Iterator[str]:
    for run in runs:
        for verdict in run.verdicts:
            if verdict.outcome is not Outcome.PASS:
                text = printable(" ".join(f"{_name(run)}: {verdict}".split()))
                yield text if len(text) <= REASON_CHARS else f"{text[: REASON_CHARS - 1]}…"


def _summarise(runs: Sequence[SuiteRun]) -> str:
    """Such as `PASS: 8 set-ups, 8 PASS`."""
    outcomes = [combine(verdict.outcome for verdict in run.verdicts) for run in runs]
    counted = Counter(outcomes)
    told = ", ".join(f"{counted[each]} {each}" for each in Outcome if counted[each])
    return f"{combine(outcomes)}: {say_count(len(runs), 'set-up')}, {told}"
