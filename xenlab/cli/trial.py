"""`xenlab test` at work: labs, the suites inside each of them, and the verdicts of all."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import click

from xenlab.cli.matrix_table import Matrix, note_skipped_cells, render_cells
from xenlab.cli.named_lab import find_named_lab
from xenlab.cli.output import echo_failure, echo_lines, own_command, tell_swept
from xenlab.cli.results import Results
from xenlab.cli.suite_order import SuiteOrder
from xenlab.cli.watch import Watch
from xenlab.errors import DriverFailed, KernelFault, LabError
from xenlab.lab import Lab, attach_lab
from xenlab.life.artifacts import keep_artifacts
from xenlab.life.order import Undertaking, UpOrder
from xenlab.life.phases import Phases
from xenlab.life.removal import remove_after_run, render_farewell, sweep
from xenlab.life.summary import find_summary, read_summary
from xenlab.plan.codec import encode
from xenlab.plan.model import LabPlan
from xenlab.pytest_plugin import LabPlugin, run_suite
from xenlab.registry.lock import hold_lab
from xenlab.registry.record import LabRecord
from xenlab.registry.runs import new_run_folder
from xenlab.report.progress import open_progress
from xenlab.verdict.verdict import verdict_of_error

COMES_UP = "lab comes up"
Afterwards = Callable[[Lab, Mapping[str, int]], None]
NO_FOLDER_NAME = re.compile(r"[^\w.@#+-]+")


@dataclass(slots=True, kw_only=True)
class Trial:
    """One `xenlab test`: what to run, and what has come of it so far.

    `side` is what the run is called where there are several to be compared; `afterwards` is what
    else is done in the lab once the suites are over, and their consoles kept, so many bytes each.
    """

    order: SuiteOrder
    results: Results
    side: str = ""
    afterwards: Afterwards = lambda _lab, _kept: None
    _repetition: int = 1
    _done: set[str] = field(default_factory=set)

    def run_in_standing_lab(self, record: LabRecord) -> None:
        """Run everything in a lab that is up, and leave it as it is: after a crash too."""
        self.order.require_suitable(LabPlan.from_json(record.plan_json))
        with (
            hold_lab(record.name, busy_with="xenlab test"),
            contextlib.closing(attach_lab(record)) as lab,
        ):
            lab.machine.require_running()
            self._begin()
            if not self._run_suites(lab):
                self.results.note_unfinished(lab.record.name)

    def run_in_own_lab(self, order: UpOrder) -> None:
        """Bring a lab up, run everything in it and take it down; it cannot outlive this process.

        After a crash the rest runs in another one. A lab that does not come up is a result too.
        """
        self.order.require_suitable(order.plan())
        name = order.lab or f"test-{os.getpid()}"
        self._begin()
        with hold_lab(name, busy_with="xenlab test"):
            while not self._run_in_next_lab(replace(order, lab=name)):
                click.echo("the rest of the tests run in another lab", err=True)

    def _run_in_next_lab(self, order: UpOrder) -> bool:
        """Whether nothing is left to be run, or there is no lab to run it in."""
        with contextlib.closing(open_progress(sys.stderr)) as progress:
            undertaking = Undertaking(order=order, phases=Phases(watcher=progress))
            try:
                lab = undertaking.bring_up().lab
            except (LabError, KernelFault, DriverFailed) as error:
                self._note_failure(undertaking.plan.topology_name, error)
                return True
        with contextlib.closing(lab), self._removed_after(lab):
            return self._run_suites(lab)

    def _note_failure(self, topology: str, error: LabError | KernelFault | DriverFailed) -> None:
        echo_failure(error)
        self.results.begin(self._name(topology), {"topology": topology, "side": self.side})
        told = verdict_of_error(COMES_UP, topology, error)
        where = [f"phase: {error.phase}"] if error.phase else []
        where += [f"log: {error.log_path}"] if error.log_path else []
        if told is not None:
            self.results.note([replace(told, reasons=(*told.reasons, *where))])

    @contextlib.contextmanager
    def _removed_after(self, lab: Lab) -> Iterator[None]:
        """Take the lab down whatever happens; keep its logs unless all in it was well."""
        first = len(self.results.runs)
        try:
            yield
        except KeyboardInterrupt:
            click.echo(render_farewell(lab.record.name), err=True)
            raise
        finally:
            well = self.results.is_well(first)
            if not well:
                name = "-".join(filter(None, ("lab", self.side, lab.record.topology)))
                folder = self.results.folder / NO_FOLDER_NAME.sub("-", name)
                keep_artifacts(lab.record, folder)
                click.echo(f"the lab's logs are in {folder}", err=True)
            remove_after_run(lab.record, well=well)

    def _name(self, topology: str) -> str:
        """What results of a lab are called."""
        side = f"{self.side}: " if self.side else ""
        return f"{side}{self.order.name} on {topology}"

    def _begin(self) -> None:
        self._repetition, self._done = 1, set()

    def _run_suites(self, lab: Lab) -> bool:
        """Run what is left; False where this lab is of no use for the rest of it."""
        environment = {**_describe(lab), **({"side": self.side} if self.side else {})}
        while self._repetition <= self.order.repeat:
            plugin = self._run_once(lab, environment)
            if (
                plugin.is_spent and plugin.unfinished
            ):  # without: it was to stop at the first failure
                self._done = plugin.done
                return False
            self._repetition, self._done = self._repetition + 1, set()
            if plugin.is_spent:
                return self._repetition > self.order.repeat
        return True

    def _run_once(self, lab: Lab, environment: Mapping[str, str]) -> LabPlugin:
        repeated = f" #{self._repetition}" if self.order.repeat > 1 else ""
        rest = ", the rest" if self._done else ""
        name = f"{self._name(lab.record.topology)}{repeated}{rest}"
        self.results.begin(name, environment)
        plugin = LabPlugin(
            lab,
            extent=self.order.extent,
            plant=self.order.plant,
            plant_every=self.order.plant_every,
            endurance=self.order.endurance,
            done=self._done,
        )
        plugin.tried = self.order.tried
        watch = Watch(plugin=plugin, results=self.results)
        # pytest's own words are progress: the result on standard output is ours.
        with contextlib.redirect_stdout(sys.stderr):
            status = run_suite(plugin, self.order.paths, self.order.pytest_options, [watch])
        self.results.note(plugin.verdicts, plugin.exhibits)
        said = ((node, lab.console_bytes(node)) for node in lab.plan.node_names)
        kept = self.results.keep_consoles(said)
        if watch.interruption is None and not plugin.deaths:
            self.afterwards(lab, kept)
        if plugin.coroner and plugin.deaths:
            self.results.keep_scene(plugin.coroner.read_scene())
        interruption = watch.interruption
        self.results.end(status, plugin.bugs, interrupted=interruption is not None)
        if interruption is not None:
            raise interruption
        return plugin


def run_trial(
    order: SuiteOrder, labs: Sequence[UpOrder], *, topology_chosen: bool,
    matrix: Matrix | None, json_path: str | None, junit_path: str | None,
) -> int:  # fmt: skip
    """Run the suites in the lab that was named, or in one lab after the other; the exit code.

    Cells of a matrix without a topology are skips with their reason; all are shown as a table.
    """
    tell_swept(sweep())
    standing = find_named_lab(labs[0], topology_chosen=topology_chosen)
    for lab in labs if standing is None else ():
        order.require_suitable(lab.plan())  # of the last one too, before the first is begun
    results = Results(
        folder=new_run_folder(), command=own_command(), json_path=json_path, junit_path=junit_path
    )
    trial = Trial(order=order, results=results)
    try:
        if standing is not None:
            trial.run_in_standing_lab(standing)
        for lab in labs if standing is None else ():
            trial.run_in_own_lab(lab)
        if matrix is not None:
            note_skipped_cells(results, matrix)
    except BaseException:
        results.close(complete=False)
        raise
    results.close(complete=True)
    if matrix is not None:
        echo_lines(render_cells(matrix, results.runs))
    return results.exit_code


def _describe(lab: Lab) -> Mapping[str, str]:
    """What runs: every field of the summary that is one word or line."""
    summary = find_summary(lab.record) or read_summary(lab)
    kernels = ", ".join(f"{node.name} {node.kernel_label}" for node in summary.nodes)
    plain = {key: value for key, value in encode(summary).items() if isinstance(value, str)}
    return {**plain, "kernels": kernels}
