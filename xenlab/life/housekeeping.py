"""Housekeeping: dead labs swept, the cache held to its limit, old results removed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from xenlab.cache.disk import disk_errors, read_size, remove
from xenlab.checkpoint.store import CheckpointStore
from xenlab.images.inventory import Inventory
from xenlab.life.removal import remove_whole_lab
from xenlab.life.saving import find_prunable_checkpoints
from xenlab.registry.bases import bases_folder
from xenlab.registry.places import cache_dir, state_dir
from xenlab.registry.sweep import find_dead_labs, sweep_dead_labs
from xenlab.waiting import Deadline

IMAGES_LIMIT_S = 600.0
KEPT_RUNS = 50
KEPT_BASES = 50
KEPT_CRASHES = 20
KEPT_FAILURES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """Something that is gone, or would go."""

    kind: str
    name: str
    size_bytes: int


def find_waste(limit_bytes: int) -> Iterator[Removed]:
    """What `clean_up` would remove; touches nothing."""
    yield from (Removed(kind="lab", name=name, size_bytes=0) for name in find_dead_labs())
    for kind, paths in _find_paths(limit_bytes):
        yield from (_note(kind, path) for path in paths)


def clean_up(limit_bytes: int) -> Iterator[Removed]:
    """Remove all that nobody needs, each thing as it goes; checkpoints down to the limit."""
    for name in sweep_dead_labs(remove_whole_lab):
        yield Removed(kind="lab", name=name, size_bytes=0)
    for kind, paths in _find_paths(limit_bytes):
        for path in paths if kind != "image" else ():
            removed = _note(kind, path)
            with disk_errors(path):
                discard = _checkpoints().discard if kind == "checkpoint" else remove
                discard(path)
            yield removed
    for name, size_bytes in _inventory().prune(everything=False).items():
        yield Removed(kind="image", name=name, size_bytes=size_bytes)


def _find_paths(limit_bytes: int) -> tuple[tuple[str, tuple[Path, ...]], ...]:
    return (
        ("checkpoint", find_prunable_checkpoints(_checkpoints(), limit_bytes)),
        ("image", _inventory().find_unwanted()),
        ("results", _old_ones(state_dir() / "runs", KEPT_RUNS)),
        ("base", _old_ones(bases_folder(), KEPT_BASES)),
        ("crash", _old_ones(state_dir() / "crashes", KEPT_CRASHES)),
        ("failure", _old_ones(state_dir() / "failures", KEPT_FAILURES)),
    )


def _checkpoints() -> CheckpointStore:
    return CheckpointStore(root=cache_dir() / "checkpoints")


def _inventory() -> Inventory:
    return Inventory(cache=cache_dir(), deadline=Deadline.after(IMAGES_LIMIT_S))


def _old_ones(folder: Path, kept: int) -> tuple[Path, ...]:
    """All but the newest."""
    paths = folder.iterdir() if folder.is_dir() else ()
    return tuple(sorted(paths, key=lambda path: (path.stat().st_mtime, path.name))[:-kept])


def _note(kind: str, path: Path) -> Removed:
    return Removed(kind=kind, name=path.name, size_bytes=read_size(path))
