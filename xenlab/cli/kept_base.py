"""KeptBase: what suites came to without a patch, in the cache for the next try, if it was sound."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import click

from xenlab.registry.bases import find_base, keep_base
from xenlab.registry.runs import RESULTS
from xenlab.report.results import SuiteRun
from xenlab.report.side_document import parse_side, render_side
from xenlab.report.stored_run import Malformed
from xenlab.verdict.side import FaultMark, Side

FAULTS = "faults.jsonl"
MEASURED = "measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptBase:
    """The base of one key."""

    key: str

    def read(self) -> tuple[SuiteRun, tuple[FaultMark, ...]] | None:
        """The run and its faults; None where none is kept, or with a warning one that is damaged.

        What another version kept is damaged too.
        """
        folder = find_base(self.key)
        return _read(folder) if folder else None

    def keep(self, run: SuiteRun, side: Side) -> bool:
        """Keep a side under the name of its run; False, and nothing is kept, if it is not sound.

        What a busy host once made fail would excuse what a patch breaks for ever.
        """
        if not side.is_sound:
            return False
        measured = {MEASURED: time.strftime("%Y-%m-%d %H:%M")}
        environment = {**run.environment, **measured}
        whole = replace(run, verdicts=side.verdicts, environment=environment)
        document, marks = render_side(whole, side.faults)
        keep_base(self.key, {RESULTS: document, FAULTS: marks})
        return True


def _read(folder: Path) -> tuple[SuiteRun, tuple[FaultMark, ...]] | None:
    try:
        return parse_side((folder / RESULTS).read_bytes(), (folder / FAULTS).read_bytes())
    except (OSError, Malformed) as refusal:
        click.echo(f"warning: the kept base cannot be read, it is run anew: {refusal}", err=True)
        return None
