"""Sweeping: what labs without a living owner left behind, found by record, label and directory."""

from __future__ import annotations

import shutil
import signal
from contextlib import suppress
from pathlib import Path

from xenlab.errors import LabError, Unavailable
from xenlab.registry.identity import ProcessIdentity
from xenlab.registry.places import runtime_root, state_digest, state_dir
from xenlab.registry.record import LabRecord, hold_lab, list_lab_names, read_record

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
    """End every process of the lab and remove its directories."""
    if record.sandbox is not None:
        record.sandbox.kill(signal.SIGKILL)
    for process in find_marked_processes().get(record.lab_id, ()):
        process.kill(signal.SIGKILL)
    shutil.rmtree(record.places.run, ignore_errors=True)
    shutil.rmtree(record.places.state, ignore_errors=True)


def sweep_dead_labs() -> tuple[str, ...]:
    """Remove what has no living owner; the names of the labs. A reused pid is never killed."""
    swept = []
    for name in list_lab_names():
        with suppress(Unavailable), hold_lab(name, busy_with="sweeping"):
            if _sweep_lab(name):
                swept.append(name)
    _sweep_orphans()
    return tuple(swept)


def _sweep_lab(name: str) -> bool:
    try:
        record = read_record(name)
    except LabError:
        record = None
    if record is None:
        shutil.rmtree(state_dir() / "labs" / name, ignore_errors=True)
        return True
    if record.alive:
        return False
    remove_lab(record)
    return True


def _sweep_orphans() -> None:
    """End marked processes and remove run directories of labs that no record names."""
    known = set()
    for name in list_lab_names():
        with suppress(LabError):
            record = read_record(name)
            if record is None:
                return  # a lab is being made this moment: leave it alone
            known.add(record.lab_id)
    for lab_id, processes in find_marked_processes().items():
        for process in processes if lab_id not in known else ():
            process.kill(signal.SIGKILL)
    root = runtime_root()
    for path in root.iterdir() if root.is_dir() else ():
        if not any(lab_id.startswith(path.name) for lab_id in known):
            shutil.rmtree(path, ignore_errors=True)
