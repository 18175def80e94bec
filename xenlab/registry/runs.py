"""Runs: the folders that `xenlab test` leaves its results in, and which of them is meant."""

from __future__ import annotations

import os
import time
from pathlib import Path

from xenlab.errors import InputError
from xenlab.registry.places import state_dir
from xenlab.topology.wording import did_you_mean, list_names, quote

RESULTS = "results.json"
EXHIBITS = "exhibits.jsonl"
CONSOLES = "consoles"
TURNS = "turns"
SHOWN_RUNS = 5


def new_run_folder() -> Path:
    """A folder for the results of one command, which nobody else has."""
    folder = _runs_folder() / time.strftime(f"%Y%m%d-%H%M%S-{os.getpid()}")
    folder.mkdir(mode=0o700, parents=True)
    return folder


def list_runs() -> tuple[str, ...]:
    """The names of all runs that are kept, the newest first: a name begins with its time."""
    folder = _runs_folder()
    names = (path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else ()
    return tuple(sorted(names, reverse=True))


def find_run(word: str | None) -> Path:
    """The folder of the run of that name, of the newest, or at that path; else InputError."""
    runs = list_runs()
    if word is None:
        if not runs:
            raise InputError("there is no run to report on", try_next="xenlab test")
        return _runs_folder() / runs[0]
    if word in runs:
        return _runs_folder() / word
    path = Path(word)
    if (path / RESULTS).is_file() or (path / EXHIBITS).is_file():
        return path
    there = f" (the newest are {list_names(runs[:SHOWN_RUNS])})" if runs else " (there is none)"
    raise InputError(
        f"there is no run {quote(word)}{did_you_mean(word, runs)}{there}",
        try_next="xenlab report" if runs else "xenlab test",
    )


def find_runs(*words: str) -> tuple[Path, ...]:
    """The folders of runs; InputError with every word that is none, each of them once."""
    found: list[Path] = []
    wrong: dict[str, InputError] = {}
    for word in words:
        try:
            found.append(find_run(word))
        except InputError as error:
            wrong[word] = error
    if wrong:
        problems = (problem for error in wrong.values() for problem in error.problems)
        raise InputError(*problems, try_next=next(iter(wrong.values())).try_next)
    return tuple(found)


def _runs_folder() -> Path:
    return state_dir() / "runs"
