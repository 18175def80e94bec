"""Results of `xenlab test` as they come: on the disk after every test, shown at the end."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
import pytest

from xenlab.cli.output import STDOUT, spell, write_text
from xenlab.errors import XenlabError
from xenlab.registry.runs import CONSOLES, EXHIBITS, RESULTS, TURNS
from xenlab.report.exhibit_text import print_exhibits
from xenlab.report.exhibits import Exhibit, KeptExhibit, render_exhibit
from xenlab.report.results import SuiteRun, render_results, render_results_junit
from xenlab.report.rows import printable
from xenlab.report.terminal import print_verdicts
from xenlab.verdict.layouts import LAYOUTS_FILE
from xenlab.verdict.outcome import EXIT_NOTHING_SELECTED, EXIT_PASSED, Outcome, combine
from xenlab.verdict.verdict import Verdict

USAGE = 2
CONSOLE_SUFFIX = ".console.log"
SCENES = "crashes"
RUN_TO_THE_END = "run to the end"
# pytest's end of a session -> ours, where it did not come to verdicts.
EXIT_CODES = {
    pytest.ExitCode.INTERRUPTED: USAGE,  # by errors in collecting: a file of the user's
    pytest.ExitCode.USAGE_ERROR: USAGE,
    pytest.ExitCode.INTERNAL_ERROR: XenlabError.exit_code,
}


@dataclass(slots=True, kw_only=True)
class Results:
    """All runs so far; the last of them may be under way. `folder` always has the JSON document.

    `command` is what to type for the same once more.
    """

    folder: Path
    command: str
    json_path: str | None
    junit_path: str | None
    _runs: list[SuiteRun] = field(default_factory=list)
    _bugs: list[str] = field(default_factory=list)
    _codes: list[int] = field(default_factory=list)
    _exhibits: list[tuple[Exhibit, ...]] = field(default_factory=list)

    def begin(self, name: str, environment: Mapping[str, str]) -> None:
        """A run starts; what it comes to is noted from now on."""
        self._runs.append(SuiteRun(name=name, environment=environment, verdicts=()))
        self._exhibits.append(())

    def note(self, verdicts: Sequence[Verdict], exhibits: Sequence[Exhibit] = ()) -> None:
        """The verdicts and the exhibits of the current run so far."""
        self._keep(exhibits[len(self._exhibits[-1]) :])
        self._exhibits[-1] = tuple(exhibits)
        run = self._runs[-1]
        if len(verdicts) != len(run.verdicts):
            self._keep_layouts(verdicts[len(run.verdicts) :])
            self._runs[-1] = SuiteRun(
                name=run.name, environment=run.environment, verdicts=tuple(verdicts)
            )
            self._write(complete=False)

    def show(self, exhibit: Exhibit) -> None:
        """One more exhibit of the current run."""
        self.note(self._runs[-1].verdicts, (*self._exhibits[-1], exhibit))

    def judge(self, verdict: Verdict) -> None:
        """One more verdict of the current run."""
        self.note((*self._runs[-1].verdicts, verdict), self._exhibits[-1])

    def keep_consoles(self, consoles: Iterable[tuple[str, bytes]]) -> Mapping[str, int]:
        """The whole consoles of the current run, by node; how many bytes of each there are."""
        return self._keep_said(CONSOLES, consoles)

    def keep_turns(self, consoles: Iterable[tuple[str, bytes]]) -> None:
        """What consoles said behind that, while drivers took turns: of no side's run alone."""
        self._keep_said(TURNS, consoles)

    def _keep_said(self, name: str, consoles: Iterable[tuple[str, bytes]]) -> Mapping[str, int]:
        folder = self.folder / name / str(len(self._runs) - 1)
        folder.mkdir(mode=0o700, parents=True)
        return {
            node: (folder / f"{node}{CONSOLE_SUFFIX}").write_bytes(said) for node, said in consoles
        }

    def keep_scene(self, files: Mapping[str, bytes]) -> None:
        """What was found where a kernel crashed or hung in the current run."""
        folder = self.folder / SCENES / str(len(self._runs) - 1)
        folder.mkdir(mode=0o700, parents=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        click.echo(f"what is left of the crash is in {folder}", err=True)

    def note_unfinished(self, lab: str) -> None:
        """Tests are left, and the lab that stands is of no use for them."""
        first = spell(f"xenlab down {lab}")
        run = self._runs[-1]
        unfinished = Verdict(
            rule=RUN_TO_THE_END, subject=run.name, outcome=Outcome.INCONCLUSIVE,
            reasons=(f"lab {lab} is of no use for the rest of it: `{first}` first",),
        )  # fmt: skip
        self.note([*run.verdicts, unfinished], self._exhibits[-1])

    def end(self, pytest_status: int, bugs: Sequence[str], *, interrupted: bool) -> None:
        """The current run is over."""
        self._bugs += bugs
        if not interrupted and pytest_status in EXIT_CODES:
            self._codes.append(EXIT_CODES[pytest.ExitCode(pytest_status)])

    def finish(self, *, complete: bool) -> None:
        """Write everything into the folder for the last time, and tell of bugs.

        Where nothing was begun the folder goes: it would be shown as the newest run.
        """
        if not self._runs and not any(self.folder.iterdir()):
            self.folder.rmdir()
            return
        self._write(complete=complete)
        for bug in self._bugs:
            click.echo(f"xenlab: a bug in xenlab or in a test: {bug}", err=True)
        layouts = self.folder / LAYOUTS_FILE
        if layouts.exists():
            click.echo(f"layouts that disagree with the model are in {layouts}", err=True)

    def close(self, *, complete: bool) -> None:
        """Write everything for the last time, and show it."""
        self.finish(complete=complete)
        runs = self._runs
        write_text(self._render(complete=complete), self.json_path)
        if self.junit_path is not None:
            write_text(render_results_junit(runs), self.junit_path)
        if self.json_path != STDOUT:
            for run, exhibits in zip(runs, self._exhibits, strict=True):
                click.echo(f"\n{run.name}: {_describe(run.environment)}")
                print_verdicts(run.verdicts, sys.stdout)
                print_exhibits(exhibits, sys.stdout)
        if self.folder.exists():
            click.echo(f"report: {spell(f'xenlab report {self.folder.name}')}", err=True)

    @property
    def runs(self) -> tuple[SuiteRun, ...]:
        """All runs so far."""
        return tuple(self._runs)

    def is_well(self, first: int) -> bool:
        """Whether nothing went wrong since there were so many runs; an empty run is no failure."""
        outcomes = [verdict.outcome for run in self._runs[first:] for verdict in run.verdicts]
        fine = not outcomes or combine(outcomes).exit_code in {EXIT_PASSED, EXIT_NOTHING_SELECTED}
        return fine and self.broken_code is None

    @property
    def broken_code(self) -> int | None:
        """What the command ends with if suites did not run to their end; None if they did."""
        if self._bugs:
            return XenlabError.exit_code
        return max(self._codes) if self._codes else None

    @property
    def exit_code(self) -> int:
        """What the command ends with."""
        if self.broken_code is not None:
            return self.broken_code
        verdicts = [verdict for run in self._runs for verdict in run.verdicts]
        if not verdicts:
            return EXIT_NOTHING_SELECTED
        return combine(verdict.outcome for verdict in verdicts).exit_code

    def _write(self, *, complete: bool) -> None:
        text = self._render(complete=complete)
        write_text(text, str(self.folder / RESULTS))
        if self.json_path != STDOUT:
            write_text(text, self.json_path)

    def _render(self, *, complete: bool) -> str:
        return render_results(self._runs, complete=complete, command=self.command)

    def _keep_layouts(self, verdicts: Sequence[Verdict]) -> None:
        """Append those that verdicts hold, for `--layout-file`."""
        lines = [
            line
            for verdict in verdicts
            if verdict.layouts
            for line in (f"# {printable(f'{verdict.rule}, {verdict.subject}')}", *verdict.layouts)
        ]
        if lines:
            with (self.folder / LAYOUTS_FILE).open("a", encoding="utf-8") as file:
                file.write("".join(f"{line}\n" for line in lines))

    def _keep(self, exhibits: Sequence[Exhibit]) -> None:
        """Append: what was kept before is not touched, whatever becomes of us now."""
        if not exhibits:
            return
        run = len(self._runs) - 1
        lines = [render_exhibit(KeptExhibit(run=run, exhibit=each)) for each in exhibits]
        with (self.folder / EXHIBITS).open("a", encoding="utf-8") as file:
            file.write("".join(lines))


def _describe(environment: Mapping[str, str]) -> str:
    """In one line what ran."""
    shown = ("accelerator", "xen", "kernels", "origin")
    return ", ".join(f"{key} {environment[key]}" for key in shown if key in environment)
