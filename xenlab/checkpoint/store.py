"""CheckpointStore: the directory of checkpoints; written whole or not at all, checked on use."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from xenlab.checkpoint.key import Level
from xenlab.errors import ChecksumMismatch

SCHEMA_VERSION = 2
BAD_SUFFIX = ".bad"
PART_SUFFIX = ".part"
PART_LIFE_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointFacts:
    """What is written beside the memory image; `files` maps names to SHA-256."""

    level: Level
    topology: str
    machine_uuid: str
    machine_name: str
    domids: tuple[tuple[str, int], ...]
    created_unix_s: float
    files: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One saved lab: `memory`, `keys/`, `logs/` and its facts."""

    directory: Path
    facts: CheckpointFacts

    @property
    def key(self) -> str:
        """The digest it is filed under."""
        return self.directory.name

    @property
    def memory(self) -> Path:
        """The machine's memory and devices, in libvirt's save format."""
        return self.directory / "memory"

    @property
    def size_bytes(self) -> int:
        """What it occupies on the disk."""
        return sum(_read_size(path) for path in self.directory.rglob("*"))

    def verify(self) -> None:
        """Read every byte again; ChecksumMismatch names the file that changed."""
        for name, expected in self.facts.files:
            path = self.directory / name
            if not path.is_file() or path.is_symlink() or _digest(path) != expected:
                raise ChecksumMismatch(f"{path} is not what was saved")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointStore:
    """All checkpoints below one directory, the most recently used ones the last to go."""

    root: Path

    def find(self, key: str) -> Checkpoint | None:
        """The checkpoint of this key, marked as used; None if there is none."""
        checkpoint = self._read(self.root / key)
        if checkpoint is not None:
            os.utime(checkpoint.directory)
        return checkpoint

    def list(self) -> tuple[Checkpoint, ...]:
        """All checkpoints, the least recently used first."""
        if not self.root.is_dir():
            return ()
        found = [
            checkpoint
            for path in self.root.iterdir()
            if not path.suffix and (checkpoint := self._read(path)) is not None
        ]
        return tuple(sorted(found, key=lambda one: _read_time(one.directory)))

    @contextmanager
    def new(self, key: str) -> Iterator[Path]:
        """A fresh directory to save into; it gets its name only if `publish` was called on it."""
        part = self.root / f"{key}-{uuid.uuid4().hex[:8]}{PART_SUFFIX}"
        part.mkdir(mode=0o700, parents=True)
        try:
            yield part
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def publish(self, part: Path, key: str, facts: CheckpointFacts) -> None:
        """Write the facts with the digest of every file, then move the directory into place.

        Where another has been quicker its checkpoint stays: somebody may be restoring from it.
        """
        names = sorted(str(p.relative_to(part)) for p in part.rglob("*") if p.is_file())
        files = tuple((name, _digest(part / name)) for name in names)
        content = {"schema_version": SCHEMA_VERSION, **asdict(facts), "files": files}
        with (part / "facts.json").open("w") as file:
            json.dump({**content, "seal": _seal(content)}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        target = self.root / key
        try:
            part.rename(target)  # refused where a directory with something in it stands
        except OSError:
            if self._read(target) is not None:
                return
            self._put_aside(target)
            part.rename(target)

    def quarantine(self, checkpoint: Checkpoint) -> None:
        """Put a damaged checkpoint aside as `.bad`; the next `gc` removes it."""
        self._put_aside(checkpoint.directory)

    def _put_aside(self, directory: Path) -> None:
        bad = directory.with_suffix(BAD_SUFFIX)
        shutil.rmtree(bad, ignore_errors=True)
        with suppress(OSError):  # it is gone, or another process has just done the same
            directory.rename(bad)

    def find_prunable(self, limit_bytes: int, machines: Collection[str] = ()) -> tuple[Path, ...]:
        """The damaged and unfinished ones, then the least recently used, down to the limit.

        Those of the machines (by UUID) stay, whatever they take: labs live from them.
        """
        if not self.root.is_dir():
            return ()
        prunable = [path for path in self.root.iterdir() if self._is_debris(path)]
        sizes = {one: one.size_bytes for one in self.list()}
        excess_bytes = sum(sizes.values()) - limit_bytes
        for one, size_bytes in sizes.items():
            if excess_bytes > 0 and one.facts.machine_uuid not in machines:
                prunable.append(one.directory)
                excess_bytes -= size_bytes
        return tuple(prunable)

    def discard(self, directory: Path) -> None:
        """Remove what `find_prunable` named; nobody ever finds half of it under its name."""
        bad = directory.with_suffix(BAD_SUFFIX)
        if directory != bad:
            self._put_aside(directory)
        shutil.rmtree(bad, ignore_errors=True)

    def _is_debris(self, path: Path) -> bool:
        """Whether nobody can want it: damaged, or unfinished for longer than any save takes."""
        if path.suffix == PART_SUFFIX:
            return time.time() - _read_time(path) > PART_LIFE_S
        return path.suffix == BAD_SUFFIX or self._read(path) is None

    def _read(self, directory: Path) -> Checkpoint | None:
        try:
            content = json.loads((directory / "facts.json").read_text())
            if content.pop("seal") != _seal(content):
                return None
            if content.pop("schema_version") != SCHEMA_VERSION:
                return None
            return Checkpoint(
                directory=directory,
                facts=CheckpointFacts(
                    level=Level(content.pop("level")),
                    domids=tuple((name, int(domid)) for name, domid in content.pop("domids")),
                    files=tuple((name, digest) for name, digest in content.pop("files")),
                    **content,
                ),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None  # not a whole checkpoint: it is made again


def _read_size(path: Path) -> int:
    """What a file occupies; nothing if it is gone, for a `gc` may be at work."""
    with suppress(FileNotFoundError):
        status = path.lstat()
        return status.st_blocks * 512 if stat.S_ISREG(status.st_mode) else 0
    return 0


def _read_time(path: Path) -> float:
    """When it was last used; now if it is gone."""
    with suppress(FileNotFoundError):
        return path.stat().st_mtime
    return time.time()


def _seal(content: Mapping[str, object]) -> str:
    """The digest of the facts themselves."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
