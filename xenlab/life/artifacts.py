"""Artifacts: what a failed lab leaves to be read: consoles, daemon logs, plan, record, why."""

from __future__ import annotations

import shutil
from pathlib import Path

from xenlab.errors import KernelFault, LabError, XenlabError
from xenlab.registry.places import state_dir
from xenlab.registry.record import LabRecord
from xenlab.report.failure import render_failure


def artifacts_folder(lab: str) -> Path:
    """Where the artifacts of the last failure of a lab of this name are."""
    return state_dir() / "failures" / lab


def keep_artifacts(record: LabRecord, folder: Path) -> None:
    """Put the logs, plan and record of a lab that is going into a folder of their own."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    (folder / "plan.json").write_text(record.plan_json, encoding="utf-8")
    places = record.places
    shutil.copyfile(places.state / "record.json", folder / "record.json")
    if places.logs.is_dir():
        places.logs.rename(folder / "logs")


def keep_failure(record: LabRecord, error: BaseException) -> None:
    """Keep the artifacts and let the error say where they are; they never hide the error itself."""
    try:
        folder = artifacts_folder(record.name)
        keep_artifacts(record, folder)
        if isinstance(error, LabError | KernelFault):
            log = Path(error.log_path)
            known = log.is_relative_to(record.places.logs)
            error.log_path = str(folder / "logs" / log.name if known else folder / "logs")
        if isinstance(error, XenlabError):
            text = "".join(f"{line}\n" for line in render_failure(error))
            (folder / "failure.txt").write_text(text, encoding="utf-8")
    except OSError as refusal:
        error.add_note(f"its logs could not be kept: {refusal}")


def find_failures() -> tuple[str, ...]:
    """The names of the labs whose last failure left something."""
    folder = state_dir() / "failures"
    return tuple(sorted(path.name for path in folder.iterdir())) if folder.is_dir() else ()
