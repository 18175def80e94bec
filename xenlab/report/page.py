"""Page: everything that the HTML report shows, decided and worded; the template only lists it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from xenlab.measure.flow_account import FlowAccount
from xenlab.measure.slot_histogram import SlotHistogram
from xenlab.report.bar_table import BarTable
from xenlab.report.bar_tables import view_bar_table
from xenlab.report.console_excerpt import ConsoleExcerpt, excerpt_console
from xenlab.report.heat_map import HeatMap, view_sweep
from xenlab.report.matrix_map import view_matrices
from xenlab.report.results import SuiteRun
from xenlab.report.slot_chart import draw_histogram
from xenlab.report.stored_run import StoredRun
from xenlab.report.verdict_row import SYMBOLS, VerdictTable, build_verdict_table
from xenlab.report.way import Way, build_ways
from xenlab.report.wording import group_digits, say_count
from xenlab.verdict.crossing import Sweep
from xenlab.verdict.outcome import Outcome, combine
from xenlab.verdict.verdict import Verdict

CHARTS_SHOWN = 20
IN_TURNS = "while drivers took turns"
# The first of these that occurs is what the page says first.
TELLING = (Outcome.LAB_ERROR, Outcome.CRASH, Outcome.FAIL, Outcome.INCONCLUSIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """How many verdicts had one outcome."""

    outcome: Outcome
    symbol: str
    count: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One slot histogram."""

    subject: str
    svg: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One run in one lab. Each of its parts may be empty, and then has no heading."""

    name: str
    environment: tuple[tuple[str, str], ...]
    ways: tuple[Way, ...]
    charts: tuple[Chart, ...]
    bar_tables: tuple[BarTable, ...]
    tables: tuple[VerdictTable, ...]
    consoles: tuple[ConsoleExcerpt, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The whole; `headline` is the one sentence that matters, `folder` has all of it as files."""

    name: str
    outcome: Outcome
    symbol: str
    headline: str
    totals: tuple[Total, ...]
    problems: tuple[str, ...]
    commands: tuple[str, ...]
    heat_maps: tuple[HeatMap, ...]
    sections: tuple[Section, ...]
    folder: str


def build_page(stored: StoredRun, folder: str, share: float) -> Page:
    """The page; `share` is how much of the usual number of rows, lines and pictures it has."""
    verdicts = stored.verdicts
    outcome = combine(verdict.outcome for verdict in verdicts)
    counts = Counter(verdict.outcome for verdict in verdicts)
    return Page(
        name=stored.name,
        outcome=outcome,
        symbol=SYMBOLS[outcome],
        headline=_say_headline(stored, verdicts),
        totals=tuple(
            Total(outcome=each, symbol=SYMBOLS[each], count=group_digits(counts[each]))
            for each in Outcome
            if counts[each]
        ),
        problems=stored.problems,
        commands=(stored.command,) if stored.command else (),
        heat_maps=tuple(_build_heat_maps(stored)),
        sections=tuple(
            _build_section(stored, number, run, share) for number, run in enumerate(stored.runs)
        ),
        folder=folder,
    )


def _build_heat_maps(stored: StoredRun) -> Iterator[HeatMap]:
    for kept in stored.exhibits:
        if isinstance(kept.exhibit, Sweep):
            yield view_sweep(kept.exhibit)
    yield from view_matrices(stored.runs)


def _build_section(stored: StoredRun, number: int, run: SuiteRun, share: float) -> Section:
    exhibits = stored.exhibits_of(number)
    histograms = [each for each in exhibits if isinstance(each, SlotHistogram)]
    shown = histograms[: max(1, int(CHARTS_SHOWN * share))]
    more = len(histograms) - len(shown)
    return Section(
        name=run.name,
        environment=_order(run.environment),
        ways=build_ways((each for each in exhibits if isinstance(each, FlowAccount)), share),
        charts=tuple(Chart(subject=each.subject, svg=draw_histogram(each)) for each in shown),
        bar_tables=tuple(table for each in exhibits if (table := view_bar_table(each))),
        tables=build_verdict_table(run.verdicts, share),
        consoles=tuple(_excerpt_consoles(stored, number, share)),
        left_out=(f"{say_count(more, 'slot histogram')} left out",) if more else (),
    )


def _excerpt_consoles(stored: StoredRun, number: int, share: float) -> Iterator[ConsoleExcerpt]:
    """Those of a run, and what was said behind them while drivers took turns, if anything was."""
    for console in stored.consoles:
        if console.run == number:
            yield excerpt_console(console, share)
    for console in stored.turns:
        if console.run == number and console.log_bytes:
            yield excerpt_console(console, share, IN_TURNS)


def _order(environment: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """What a reader asks first comes first."""
    first = ("topology", "accelerator", "xen", "kernels", "netback", "netfront", "origin")
    names = (*(name for name in first if name in environment), *sorted(environment))
    return tuple((name.replace("_", " "), environment[name]) for name in dict.fromkeys(names))


def _say_headline(stored: StoredRun, verdicts: tuple[Verdict, ...]) -> str:
    """What failed and where packets went; for a run in which all is well, how much was seen."""
    if not verdicts:
        return "No verdict was given: nothing is known."
    for outcome in TELLING:
        told = [verdict for verdict in verdicts if verdict.outcome is outcome]
        if told:
            return _say_worst(told, len(verdicts))
    if all(verdict.outcome is Outcome.SKIP for verdict in verdicts):
        return _say_worst(list(verdicts), len(verdicts))
    accounts = [kept.exhibit for kept in stored.exhibits if isinstance(kept.exhibit, FlowAccount)]
    if not accounts:
        return f"{_say_passes(verdicts)}."
    packets = sum(account.packets_in for account in accounts)
    if any(account.troubled for account in accounts):
        before = sum(account.lost_before for account in accounts)
        lost = before + sum(each.lost for account in accounts for each in account.passages)
        return (
            f"{_say_passes(verdicts)}: {group_digits(lost)} of"
            f" {say_count(packets + before, 'packet')} did not come through, as they had to or may."
        )
    nothing = "Nothing was lost" if stored.complete else "So far nothing was lost"
    return (
        f"{nothing}: {say_count(packets, 'packet')} of {say_count(len(accounts), 'flow')}"
        " accounted for at every hop."
    )


def _say_passes(verdicts: Sequence[Verdict]) -> str:
    skipped = sum(verdict.outcome is Outcome.SKIP for verdict in verdicts)
    but = f" but for {group_digits(skipped)} skipped" if skipped else ""
    return f"{say_count(len(verdicts), 'verdict')}, every one a pass{but}"


def _say_worst(told: list[Verdict], verdicts: int) -> str:
    """The first of the worst findings, and how many there are."""
    first = told[0]
    reason = first.reasons[0] if first.reasons else f"{first.rule}: {first.outcome}"
    others = len(told) - 1
    more = (
        f" And {say_count(others, 'other verdict')} of {group_digits(verdicts)}." if others else ""
    )
    return f"{first.subject}: {reason}.{more}"
