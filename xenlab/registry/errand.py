"""Errands: what runs for a moment beside the labs, in a sandbox of its own, and ends with us."""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from xenlab.registry.identity import ProcessIdentity, read_start_ticks
from xenlab.registry.places import LabPlaces, cache_dir, runtime_root, state_dir
from xenlab.registry.run_directory import remove_run_directory

# The owner is in the name, so that there is no moment without one: id, pid, start time.
NAME = re.compile(r"([0-9a-f]{32})-(\d+)-(\d+)")


@contextmanager
def open_errand(what: str) -> Iterator[tuple[str, LabPlaces]]:
    """An id and places like those of a lab; a sweep leaves them alone while this process lives."""
    own = ProcessIdentity.own()
    errand_id = uuid.uuid4().hex
    state = state_dir() / "errands" / f"{errand_id}-{own.pid}-{own.start_ticks}"
    for directory in (state, cache_dir()):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    run = runtime_root() / errand_id[:8]
    try:
        yield errand_id, LabPlaces(name=what, state=state, run=run, cache=cache_dir())
    finally:
        remove_run_directory(run)
        shutil.rmtree(state, ignore_errors=True)


def sweep_errands() -> frozenset[str]:
    """Remove what errands left whose process is gone; the ids of those that go on."""
    root = state_dir() / "errands"
    going_on = set()
    for path in root.iterdir() if root.is_dir() else ():
        named = NAME.fullmatch(path.name)
        if named and read_start_ticks(int(named[2])) == int(named[3]):
            going_on.add(named[1])
        else:
            shutil.rmtree(path, ignore_errors=True)
    return frozenset(going_on)
