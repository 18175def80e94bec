"""`xenlab mutants` at work: modules are built ahead while one mutant after the other is tried."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

from xenlab.cli.mutant_controls import Controls
from xenlab.cli.mutant_lab import open_bare
from xenlab.cli.mutant_trial import MutantTrial
from xenlab.cli.output import STDOUT, echo_lines, render_document, tell_swept, write_text
from xenlab.errors import InputError, VersionUnavailable
from xenlab.kernel.driver import DriverKind
from xenlab.kernel.mutant import Mutant
from xenlab.kernel.workshop import Workshop, open_workshop
from xenlab.life.order import IMAGES_BUDGET_S, UpOrder
from xenlab.life.removal import sweep
from xenlab.plan.model import LabPlan
from xenlab.registry.lock import hold_lab
from xenlab.registry.places import cache_dir
from xenlab.report.mutations import encode_mutation, render_mutation, render_table, update_page
from xenlab.report.progress import Progress, open_progress
from xenlab.topology.defaults import TOPOLOGY
from xenlab.verdict.mutation import Mutation, combine_endings
from xenlab.waiting import Deadline

# Controls share a lab; a run that is interrupted has left no more mutants than these without one.
WAITING_MAX = 10


def run_mutants(mutants: Sequence[Mutant], json_path: str | None, page_path: str | None) -> int:
    """Try every mutant, show what came of each as it comes, and all together; the exit code.

    Those that were caught are undecided until stock drivers have passed the test that caught them.
    """
    tell_swept(sweep())
    plan = UpOrder(topology=TOPOLOGY).plan()
    name = f"mutants-{os.getpid()}"
    progress = open_progress(sys.stderr)
    with (
        showing(json_path) as done,
        contextlib.closing(progress),
        hold_lab(name, busy_with="xenlab mutants"),
        building(mutants, plan, progress) as built,
    ):
        controls = Controls(opening=partial(open_bare, name, progress))
        for number, mutant in enumerate(mutants, 1):
            opening = partial(open_bare, name, progress, mutant)
            trial = MutantTrial(mutant=mutant, opening=opening)
            done.append(try_mutant(trial, built[mutant]))
            progress.detail("  ".join(render_mutation(done[-1])))
            _write(done, json_path, page_path)
            if count_waiting(done) >= WAITING_MAX or number == len(mutants):
                settle(done, controls, progress)
                _write(done, json_path, page_path)
    return combine_endings(done).exit_code


def count_waiting(done: Sequence[Mutation]) -> int:
    """How many were caught and have no control yet."""
    return sum(each.catch is not None and each.control is None for each in done)


def settle(done: list[Mutation], controls: Controls, progress: Progress) -> None:
    """Have stock drivers tried where any was caught, and show again what has its control now."""
    for number, settled in enumerate(controls.settle(done)):
        if settled != done[number]:
            done[number] = settled
            progress.detail("  ".join(render_mutation(settled)))


@contextlib.contextmanager
def showing(json_path: str | None) -> Iterator[list[Mutation]]:
    """What is done by the end of this is shown, also of a run that was interrupted."""
    done: list[Mutation] = []
    try:
        yield done
    finally:
        if done and json_path != STDOUT:
            echo_lines(render_table(done))
        elif done:
            write_text(_render_document(done), STDOUT)


def try_mutant(trial: MutantTrial, built: Future[object]) -> Mutation:
    """What comes of one; that it does not apply or compile is no ending, and none of the others."""
    try:
        built.result()
        return trial.run()
    except (InputError, VersionUnavailable) as error:
        return trial.end((*trial.troubles, str(error)))


@contextlib.contextmanager
def building(
    mutants: Sequence[Mutant], plan: LabPlan, progress: Progress
) -> Iterator[dict[Mutant, Future[object]]]:
    """Build every mutant's module, in their order and ahead of the labs, which find them made."""

    def build(workshop: Workshop, mutant: Mutant) -> object:
        domu = plan.domus[0].kernel
        kernel = plan.dom0.kernel if mutant.kind is DriverKind.NETBACK else domu
        return workshop.provide_driver(mutant.choice, plan.kernel(kernel))

    with open_workshop(
        cache_dir(),
        report=progress.detail,
        offline=False,
        deadline=Deadline.after(IMAGES_BUDGET_S),
    ) as workshop:
        pool = ThreadPoolExecutor(max_workers=1)
        try:
            yield {mutant: pool.submit(build, workshop, mutant) for mutant in mutants}
        finally:
            pool.shutdown(cancel_futures=True)


def _write(done: Sequence[Mutation], json_path: str | None, page_path: str | None) -> None:
    """Bring to safety what there is: of many mutants the last comes after an hour."""
    if json_path != STDOUT:
        write_text(_render_document(done), json_path)
    if page_path is not None:
        page = Path(page_path)
        before = page.read_text(encoding="utf-8") if page.exists() else ""
        write_text(update_page(before, done), page_path)


def _render_document(done: Sequence[Mutation]) -> str:
    outcome = combine_endings(done)
    return render_document(
        {
            "outcome": outcome,
            "exit_code": outcome.exit_code,
            "mutants": [encode_mutation(mutation) for mutation in done],
        }
    )
