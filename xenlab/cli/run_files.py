"""The files of a run's folder, read into a StoredRun however much of them is there."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import replace
from pathlib import Path

from xenlab.cli.results import CONSOLE_SUFFIX
from xenlab.registry.record import EMULATED
from xenlab.registry.runs import CONSOLES, EXHIBITS, RESULTS, TURNS
from xenlab.report.stored_run import Console, StoredRun, build_stored_run
from xenlab.verdict.console import ConsoleScanner

CHUNK_BYTES = 1 << 16
# More than a report ever shows of one console.
TAIL_BYTES = 1 << 17


def read_run(folder: Path) -> StoredRun:
    """Everything that is there; OSError for what is there and cannot be read."""
    exhibits = _read(folder / EXHIBITS)
    stored = build_stored_run(folder.name, _read(folder / RESULTS), exhibits or b"", ())
    emulated = {
        number
        for number, run in enumerate(stored.runs)
        if run.environment.get("accelerator") == EMULATED
    }
    return replace(
        stored,
        consoles=tuple(_read_consoles(folder / CONSOLES, emulated)),
        turns=tuple(_read_consoles(folder / TURNS, emulated)),
    )


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _read_consoles(folder: Path, emulated: Container[int]) -> Iterator[Console]:
    """Those of all runs, of which some had an emulated CPU."""
    for path in sorted(folder.glob(f"*/*{CONSOLE_SUFFIX}")):
        if path.parent.name.isdecimal() and path.is_file():
            run = int(path.parent.name)
            yield _read_console(path, run, on_emulated_cpu=run in emulated)


def _read_console(path: Path, run: int, *, on_emulated_cpu: bool) -> Console:
    """In pieces: a console may be of any length."""
    node = path.name.removesuffix(CONSOLE_SUFFIX)
    scanner = ConsoleScanner(node, on_emulated_cpu=on_emulated_cpu)
    tail, log_bytes = b"", 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            scanner.feed(chunk)
            log_bytes += len(chunk)
            tail = (tail + chunk)[-TAIL_BYTES:]
    scanner.finish()
    return Console(
        run=run, node=node, faults=scanner.faults,
        tail=tail, log_bytes=log_bytes, path=str(path.absolute()),
    )  # fmt: skip
