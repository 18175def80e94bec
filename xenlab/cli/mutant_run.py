"""`xenlab mutants` at work: modules are built ahead while one mutant after the other is tried."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from xenlab.cli.mutant_trial import MutantTrial
from xenlab.cli.output import STDOUT, echo_lines, render_document, tell_swept, write_text
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


def run_mutants(mutants: Sequence[Mutant], json_path: str | None, page_path: str | None) -> int:
    """Try every mutant, show what came of each as it comes, and all together; the exit code."""
    tell_swept(sweep())
    plan = UpOrder(topology=TOPOLOGY).plan()
    done: list[Mutation] = []
    name = f"mutants-{os.getpid()}"
    progress = open_progress(sys.stderr)
    with (
        contextlib.closing(progress),
        hold_lab(name, busy_with="xenlab mutants"),
        building(mutants, plan, progress) as built,
    ):
        for mutant in mutants:
            built[mutant.name].result()
            done.append(MutantTrial(mutant=mutant, lab_name=name, watcher=progress).run())
            progress.detail("  ".join(render_mutation(done[-1])))
            _write(done, json_path, page_path)
    if json_path != STDOUT:
        echo_lines(render_table(done))
    return combine_endings(done).exit_code


@contextlib.contextmanager
def building(
    mutants: Sequence[Mutant], plan: LabPlan, progress: Progress
) -> Iterator[dict[str, Future[object]]]:
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
            yield {mutant.name: pool.submit(build, workshop, mutant) for mutant in mutants}
        finally:
            pool.shutdown(cancel_futures=True)


def _write(done: Sequence[Mutation], json_path: str | None, page_path: str | None) -> None:
    """Bring to safety what there is: of many mutants the last comes after an hour."""
    outcome = combine_endings(done)
    document = {
        "outcome": outcome,
        "exit_code": outcome.exit_code,
        "mutants": [encode_mutation(mutation) for mutation in done],
    }
    write_text(render_document(document), json_path)
    if page_path is not None:
        page = Path(page_path)
        before = page.read_text(encoding="utf-8") if page.exists() else ""
        write_text(update_page(before, done), page_path)
