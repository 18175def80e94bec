"""EntryStore: what was built, filed under the digest of all that went into it, checked on use."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from xenlab.cache.disk import (
    disk_errors,
    locked,
    make_folder,
    mark_used,
    remove,
    sync_folder,
    sync_tree,
)
from xenlab.cache.entry import DamagedEntry, Entry, Recipe, read_entry, write_entry
from xenlab.errors import ChecksumMismatch
from xenlab.waiting import Deadline

PART = ".part"
BAD = ".bad"
LOCKS = "locks"

Build = Callable[[Path], Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryStore:
    """The folder of entries; several processes may use and fill it at the same time."""

    folder: Path
    report: Callable[[str], None]
    offline: bool
    deadline: Deadline

    def provide(self, recipe: Recipe, build: Build) -> Entry:
        """The entry made by a recipe; `build` fills the folder it is given if there is none yet.

        What `build` returns are facts to remember with the files. An entry that is not what it was
        is set aside as `.bad` and built again; with `offline` it raises ChecksumMismatch instead.
        """
        folder = self.folder / recipe.entry_name
        with disk_errors(folder), suppress(FileNotFoundError, DamagedEntry):
            entry = read_entry(folder)
            mark_used(folder)
            return entry
        with locked(self.folder / LOCKS / recipe.entry_name, self.deadline):
            with disk_errors(folder), suppress(FileNotFoundError):
                try:
                    return read_entry(folder)
                except DamagedEntry as damage:
                    self._set_aside(folder, damage)
            return self._build(recipe, folder, build)

    def find_folder(self, recipe: Recipe) -> Path | None:
        """The folder of a recipe's entry, if there is one; nothing is built, and nothing checked.

        For what is known by itself to be right: to check thousands of files takes its time.
        """
        folder = self.folder / recipe.entry_name
        if not folder.is_dir():
            return None
        mark_used(folder)
        return folder

    def has(self, recipe: Recipe) -> bool:
        """Whether it was built; it may be damaged."""
        return (self.folder / recipe.entry_name).is_dir()

    def _build(self, recipe: Recipe, folder: Path, build: Build) -> Entry:
        part = folder.with_name(folder.name + PART)
        with disk_errors(part):
            remove(part)  # left by a builder that was killed: it held the lock that we hold now
            make_folder(part)
            try:
                facts = build(part)
                write_entry(part, recipe, facts)
                sync_tree(part)
                part.rename(folder)
                sync_folder(self.folder)
            except BaseException:
                shutil.rmtree(part, ignore_errors=True)
                raise
        return read_entry(folder)

    def _set_aside(self, folder: Path, damage: DamagedEntry) -> None:
        bad = set_aside(folder)
        self.report(f"{damage}; set aside as {bad.name}")
        if self.offline:
            raise ChecksumMismatch(
                f"{damage}; set aside as {bad}, not built again while offline",
                phase="build",
                try_next="xenlab images build",
            ) from damage


def set_aside(folder: Path) -> Path:
    """Rename a damaged entry to `.bad`, in place of an older one, and return the new name."""
    bad = folder.with_name(folder.name + BAD)
    with disk_errors(folder):
        remove(bad)
        folder.rename(bad)
    return bad
