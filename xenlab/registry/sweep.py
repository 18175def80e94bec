"""Sweeping: what labs without a living owner left behind, found by record, label and directory."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from xenlab.errors import LabError, Unavailable
from xenlab.registry.errand import sweep_errands
from xenlab.registry.identity import ProcessIdentity
from xenlab.registry.lock import SWEEPING, hold_lab
from xenlab.registry.places import runtime_root, state_digest, state_dir
from xenlab.registry.record import LabRecord, list_lab_names, read_record
from xenlab.registry.run_directory import remove_run_directory
from xenlab.waiting import Deadline, wait_until

END_LIMIT_S = 10.0
MARKER = "XENLAB_LAB"  # in the environment of each process of a lab's sandbox


def render_marker(lab_id: str) -> str:
    """The marker's value: the lab, and whose records know of it."""
    return f"{state_digest()}:{lab_id}"


def find_marked_processes() -> dict[str, list[ProcessIdentity]]:
    """The processes on this host that carry our marker, by lab id."""
    start = f"{MARKER}={state_digest()}:".encode()
    found: dict[str, list[ProcessIdentity]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):
            for variable in (entry / "environ").read_bytes().split(b"\0"):
                if variable.startswith(start):
                    lab_id = variable.removeprefix(start).decode(errors="replace")
                    found.setdefault(lab_id, []).append(ProcessIdentity.of(int(entry.name)))
    return found


def remove_lab(record: LabRecord) -> None:
    """End every process of the lab and remove its directories; returns when they are gone."""
    ended = find_marked_processes().get(record.lab_id, [])
    ended += [record.sandbox] if record.sandbox is not None else []
    for process in ended:
        process.kill(signal.SIGKILL)
    wait_until(
        lambda: not any(process.alive for process in ended),
        f"the processes of lab {record.name} to end",
        Deadline.after(END_LIMIT_S),
    )
    remove_run_directory(record.places.run)
    shutil.rmtree(record.places.state, ignore_errors=True)


Removal = Callable[[LabRecord], None]


def sweep_dead_labs(remove: Removal = remove_lab) -> tuple[str, ...]:
    """Remove what has no living owner; the names of the labs. A reused pid is never killed."""
    swept = [name for name in find_dead_labs() if _sweep(name, remove)]
    _sweep_orphans()
    return tuple(swept)


def find_dead_labs() -> tuple[str, ...]:
    """The names of the labs that no living process owns."""
    return tuple(name for name in list_lab_names() if _is_dead(name))


def discard_lab(name: str, remove: Removal = remove_lab) -> bool:
    """Remove a lab by name, its record whole or not; whether there was one. The lock is held."""
    directory = state_dir() / "labs" / name
    try:
        record = read_record(name)
    except LabError:
        record = None
    if record is not None:
        remove(record)
    found = directory.exists()
    shutil.rmtree(directory, ignore_errors=True)
    return record is not None or found


def _sweep(name: str, remove: Removal) -> bool:
    """Remove the lab if nobody has it and it is still dead now that we do; whether it was."""
    with suppress(Unavailable), hold_lab(name, busy_with=SWEEPING):
        return _is_dead(name) and discard_lab(name, remove)
    return False


def _is_dead(name: str) -> bool:
    """Whether the lab has no living owner; a directory without a good record has none."""
    try:
        record = read_record(name)
    except LabError:
        return True
    return record is None or not record.alive


def _sweep_orphans() -> None:
    """End marked processes and remove run directories of labs that no record names.

    A record is written before the first process of its lab starts, and an errand's directory made:
    what was found before they are read has one, unless it is an orphan.
    """
    marked = find_marked_processes()
    root = runtime_root()
    runs = tuple(root.iterdir()) if root.is_dir() else ()
    known = set(sweep_errands())
    for name in list_lab_names():
        with suppress(LabError):
            record = read_record(name)
            if record is not None:
                known.add(record.lab_id)
    for lab_id in marked.keys() - known:
        for process in marked[lab_id]:
            process.kill(signal.SIGKILL)
    for path in runs:
        if not any(lab_id.startswith(path.name) for lab_id in known):
            remove_run_directory(path)
