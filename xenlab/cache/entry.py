"""Entry: one thing that was built, with the checksums that prove it unchanged."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from xenlab.cache.disk import write_whole

SCHEMA_VERSION = 1
RECORD = "entry.json"
STAMPS = "verified.json"
KEY_DIGITS = 24

Stamps: TypeAlias = dict[str, list[int]]


class DamagedEntry(Exception):
    """A stored file is not what it was when it was written; never leaves the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that decides what a build gives: the same inputs give the same bytes."""

    kind: str
    inputs: Mapping[str, object]

    @property
    def key(self) -> str:
        """The SHA-256 of the inputs."""
        text = json.dumps({"kind": self.kind, **self.inputs}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def entry_name(self) -> str:
        """The name of the folder in the store."""
        return f"{self.kind}-{self.key[:KEY_DIGITS]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A folder of the store: its files' SHA-256 by name, and facts remembered from the build."""

    folder: Path
    kind: str
    facts: Mapping[str, str]
    sha256: Mapping[str, str]
    created: str

    def path(self, name: str) -> Path:
        """One of the entry's files."""
        return self.folder / name

    @property
    def size_bytes(self) -> int:
        """All files together."""
        return sum(self.path(name).stat().st_size for name in self.sha256)


def write_entry(folder: Path, recipe: Recipe, facts: Mapping[str, str]) -> None:
    """Record the files in a folder that was just built, those in folders below it too."""
    record = {
        "schema_version": SCHEMA_VERSION,
        "kind": recipe.kind,
        "inputs": dict(recipe.inputs),
        "facts": dict(facts),
        "sha256": {
            path.relative_to(folder).as_posix(): _hash_file(path)
            for path in sorted(folder.rglob("*"))
            if not path.is_dir()
        },
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    record["digest"] = _digest(record)
    write_whole(folder / RECORD, json.dumps(record, indent=2).encode())


def read_entry(folder: Path, *, thorough: bool = False) -> Entry:
    """The entry in a folder, every file checked.

    A file whose size, dates and inode are those of its last whole check is not read again, unless
    `thorough`: the inode's change date cannot be set back, so any write since shows.
    Raises FileNotFoundError if there is no such entry, DamagedEntry if it is not what it was.
    """
    if not stat.S_ISDIR(folder.lstat().st_mode):
        raise DamagedEntry(f"{folder}: not a folder")
    entry = _read_record(folder)
    stamps = {name: _stamp(folder / name) for name in entry.sha256}
    if thorough or stamps != _read_stamps(folder):
        with ThreadPoolExecutor() as threads:  # hashlib lets go of the interpreter's lock
            found = threads.map(_hash_file, (folder / name for name in entry.sha256))
        for (name, sha256), now in zip(entry.sha256.items(), found, strict=True):
            if now != sha256:
                raise DamagedEntry(f"{folder / name}: the checksum is not that of its build")
        _remember(folder, stamps)
    return entry


def _read_record(folder: Path) -> Entry:
    path = folder / RECORD
    _stamp(path)
    try:
        record = json.loads(path.read_bytes())
        digest = record.pop("digest")
        if record["schema_version"] != SCHEMA_VERSION or digest != _digest(record):
            raise DamagedEntry(f"{path}: changed since the build")
        recipe = Recipe(kind=record["kind"], inputs=record["inputs"])
        if recipe.entry_name != folder.name:
            raise DamagedEntry(f"{folder}: holds {recipe.entry_name}")
        return Entry(
            folder=folder,
            kind=record["kind"],
            facts=record["facts"],
            sha256=record["sha256"],
            created=record["created"],
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedEntry(f"{path}: unreadable: {error}") from error


def _digest(record: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def _stamp(path: Path) -> list[int]:
    """What of a file's inode changes when its content does. DamagedEntry if it is no plain file."""
    try:
        status = path.lstat()
    except FileNotFoundError as error:
        raise DamagedEntry(f"{path}: missing") from error
    if not stat.S_ISREG(status.st_mode):
        raise DamagedEntry(f"{path}: not a plain file")
    return [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _read_stamps(folder: Path) -> Stamps:
    """The stamps of the last whole check; none if they cannot be read, which costs one check."""
    path = folder / STAMPS
    try:
        _stamp(path)
        stamps: Stamps = json.loads(path.read_bytes())
    except (DamagedEntry, ValueError):
        return {}
    return stamps


def _remember(folder: Path, stamps: Stamps) -> None:
    """Save the stamps of a whole check; a read-only cache is checked whole each time."""
    if os.access(folder, os.W_OK):
        write_whole(folder / STAMPS, json.dumps(stamps).encode())


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
