"""Set-ups that a suite went through as a heat map: a line for each, a column for each rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from xenlab.report.heat_map import HeatBlock, HeatCell, HeatLine, HeatMap
from xenlab.report.results import SuiteRun
from xenlab.report.rows import printable
from xenlab.report.verdict_row import SYMBOLS
from xenlab.report.wording import say_count
from xenlab.verdict.iommu import IOMMU_AS_ASKED
from xenlab.verdict.mode import MODES_AS_ASKED
from xenlab.verdict.outcome import Outcome, combine
from xenlab.verdict.verdict import Verdict

# By the rule that says whether a lab is the one that was asked for.
TITLES: Mapping[str, str] = {IOMMU_AS_ASKED: "IOMMU set-ups", MODES_AS_ASKED: "Modes"}
ABOUT = "Set-ups in rows, as they were asked for and proved; rules in columns, with their verdicts."
CORNER = "set-up"
REASON_CHARS = 300


def view_matrices(runs: Sequence[SuiteRun]) -> Iterator[HeatMap]:
    """A map for each kind of set-ups of which there is more than one."""
    for evidence in TITLES:
        judged = [run for run in runs if _set_up(run, evidence)]
        if len(judged) > 1:
            yield _view(judged, evidence)


def _view(judged: Sequence[SuiteRun], evidence: str) -> HeatMap:
    rules = tuple(dict.fromkeys(verdict.rule for run in judged for verdict in run.verdicts))
    lines = tuple(_line(run, evidence, rules) for run in judged)
    return HeatMap(
        title=TITLES[evidence],
        about=ABOUT,
        blocks=(HeatBlock(title="", corner=CORNER, heads=rules, lines=lines),),
        findings=tuple(_tell_findings(judged, evidence)),
        summary=_summarise(judged),
    )


def _set_up(run: SuiteRun, evidence: str) -> str:
    """What was asked for; nothing where nobody judged that."""
    return next((each.subject for each in run.verdicts if each.rule == evidence), "")


def _line(run: SuiteRun, evidence: str, rules: Sequence[str]) -> HeatLine:
    cells = (_cell([each for each in run.verdicts if each.rule == rule]) for rule in rules)
    return HeatLine(name=_name(run, evidence), cells=tuple(cells))


def _name(run: SuiteRun, evidence: str) -> str:
    """Such as `iommu-i2: iommu intel, dom0 pv strict`."""
    asked = _set_up(run, evidence)
    topology = run.environment.get("topology", "")
    return printable(f"{topology}: {asked}" if topology else asked)


def _cell(verdicts: Sequence[Verdict]) -> HeatCell:
    if not verdicts:
        return HeatCell(text="-", outcome="", symbol="")
    outcome = combine(verdict.outcome for verdict in verdicts)
    count = sum(verdict.outcome is outcome for verdict in verdicts)
    return HeatCell(text=f"{outcome} {count}", outcome=str(outcome), symbol=SYMBOLS[outcome])


def _tell_findings(runs: Sequence[SuiteRun], evidence: str) -> Iterator[str]:
    for run in runs:
        for verdict in run.verdicts:
            if verdict.outcome is not Outcome.PASS:
                text = printable(" ".join(f"{_name(run, evidence)}: {verdict}".split()))
                yield text if len(text) <= REASON_CHARS else f"{text[: REASON_CHARS - 1]}…"


def _summarise(runs: Sequence[SuiteRun]) -> str:
    """Such as `PASS: 8 set-ups, 8 PASS`."""
    outcomes = [combine(verdict.outcome for verdict in run.verdicts) for run in runs]
    counted = Counter(outcomes)
    told = ", ".join(f"{counted[each]} {each}" for each in Outcome if counted[each])
    return f"{combine(outcomes)}: {say_count(len(runs), 'set-up')}, {told}"
