"""`xenlab up` at work: the lab, its proof, and all that is shown of them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import click

from xenlab.checkpoint.key import Level
from xenlab.cli.output import STDOUT, echo_lines, render_document, spell, tell_swept, write_text
from xenlab.errors import GuestLost, InputError
from xenlab.lab import Lab, attach_lab
from xenlab.life.order import Undertaking, UpOrder
from xenlab.life.phases import Phases
from xenlab.life.removal import remove_whole_lab, render_farewell, sweep
from xenlab.life.summary import find_summary, read_summary
from xenlab.plan.codec import encode
from xenlab.registry.lock import hold_lab
from xenlab.registry.record import LabRecord
from xenlab.report.document import encode_verdicts
from xenlab.report.progress import open_progress
from xenlab.report.summary import LabSummary
from xenlab.report.terminal import print_verdicts
from xenlab.verdict.outcome import EXIT_PASSED, combine
from xenlab.verdict.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class CameUp:
    """A lab that is up, with what is to be told of it."""

    summary: LabSummary
    phases_s: Mapping[str, float] = field(default_factory=dict)
    checkpoint: Path | None = None
    verdicts: tuple[Verdict, ...] = ()

    @property
    def exit_code(self) -> int:
        """The proof's, where there was one."""
        if not self.verdicts:
            return EXIT_PASSED
        return combine(verdict.outcome for verdict in self.verdicts).exit_code

    def render_json(self) -> str:
        """The document for programs."""
        return render_document(
            {
                **encode(self.summary),
                "phases": {name: round(took_s, 3) for name, took_s in self.phases_s.items()},
                "checkpoint": str(self.checkpoint) if self.checkpoint else None,
                **(encode_verdicts(self.verdicts) if self.verdicts else {}),
                "exit_code": self.exit_code,
            }
        )


def bring_up(order: UpOrder, json_path: str | None, *, proof: bool) -> int:
    """Bring a lab up and show it; the exit code. A lab that is up already is shown as it is."""
    progress = open_progress(sys.stderr)
    with contextlib.closing(progress):
        undertaking = Undertaking(order=order, phases=Phases(watcher=progress))
        tell_swept(sweep())
        with hold_lab(undertaking.lab_name, busy_with="xenlab up"):
            standing = undertaking.find_standing()
            if standing:
                _require_no_fresh_one(order, standing.name)
                came_up = CameUp(summary=_look_at(standing))
                click.echo(f"lab {standing.name} is up already", err=json_path == STDOUT)
            else:
                came_up = _start(undertaking, proof=proof)
    _show(came_up, json_path)
    return came_up.exit_code


def _require_no_fresh_one(order: UpOrder, name: str) -> None:
    """A lab that stands is neither bare nor just booted: who asks for that must not get it."""
    if order.cold or order.start_from is Level.BARE:
        asked = "--cold" if order.cold else "--from bare"
        raise InputError(
            f"lab {name} is up already: {asked} is for a lab that is not",
            try_next=f"xenlab down {name}",
        )


def _look_at(record: LabRecord) -> LabSummary:
    """A standing lab's summary; GuestLost if its machine no longer runs."""
    with contextlib.closing(attach_lab(record)) as lab:
        try:
            lab.machine.require_running()
        except GuestLost as error:
            error.try_next = f"xenlab down {record.name}"
            raise
        return find_summary(record) or read_summary(lab)


def _start(undertaking: Undertaking, *, proof: bool) -> CameUp:
    raised = undertaking.bring_up()
    lab = raised.lab
    with contextlib.closing(lab), _removed_if_interrupted(lab, undertaking.phases):
        verdicts: tuple[Verdict, ...] = ()
        if proof and lab.record.origin != "connected checkpoint":
            from xenlab.traffic.proof import prove

            with undertaking.phases.run("proof"):
                verdicts = tuple(prove(lab))
    return CameUp(
        summary=raised.summary,
        phases_s=undertaking.phases.elapsed_s,
        checkpoint=raised.checkpoint,
        verdicts=verdicts,
    )


@contextlib.contextmanager
def _removed_if_interrupted(lab: Lab, phases: Phases) -> Iterator[None]:
    """Who interrupts `up` does not want the lab."""
    try:
        yield
    except KeyboardInterrupt:
        phases.watcher.detail(render_farewell(lab.record.name))
        remove_whole_lab(lab.record)
        raise


def _show(came_up: CameUp, json_path: str | None) -> None:
    write_text(came_up.render_json(), json_path)
    if json_path == STDOUT:
        return
    summary = came_up.summary
    echo_lines(summary.render())
    click.echo()
    if came_up.verdicts:
        print_verdicts(came_up.verdicts, sys.stdout)
        click.echo()
    echo_lines(_render_next(summary))


def _render_next(summary: LabSummary) -> Iterator[str]:
    """Three commands that may come next, aligned."""
    lab, node = summary.lab, summary.nodes[-1].name
    commands = (
        (f"xenlab test smoke --lab {lab}", "every flow, every packet accounted for"),
        (f"xenlab ssh {lab}/{node}", "a shell that needs no working vif"),
        (f"xenlab down {lab}", "nothing is left but the cache"),
    )
    width = max(len(spell(command)) for command, _why in commands)
    yield from (f"  {spell(command):<{width}}  {why}" for command, why in commands)
