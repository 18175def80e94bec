"""What the cache holds: entries listed and checked whole, and what nobody needs removed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from xenlab.cache.disk import disk_errors, locked, read_size, remove
from xenlab.cache.entry import DamagedEntry, Entry, read_entry
from xenlab.cache.store import BAD, LOCKS, PART, set_aside
from xenlab.debian.supply import read_answer
from xenlab.kernel.built import BUILDS, CCACHE
from xenlab.waiting import Deadline

# What no lab used for so long is most likely of an older package or manifest.
UNUSED_AFTER = timedelta(days=14)

# What the folders of kernels begin with: those ready to boot, and those that were built here.
KERNELS = ("kernel-", "built-kernel-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A folder of the store: the entry in it, or why there is none."""

    path: Path
    entry: Entry | None
    damage: str
    used: datetime

    @property
    def unused(self) -> bool:
        """Whether no lab used it for a long time."""
        return datetime.now(UTC) - self.used > UNUSED_AFTER


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The cache folder, seen by those who keep house in it."""

    cache: Path
    deadline: Deadline

    @property
    def images(self) -> Path:
        """The folder of entries."""
        return self.cache / "images"

    def entries(self, *, thorough: bool = False) -> Iterator[Listed]:
        """Every entry, sorted by name; `thorough` reads every byte of its files."""
        for path in self._folders():
            entry, damage = None, ""
            with disk_errors(path):
                try:
                    entry = read_entry(path, thorough=thorough)
                except DamagedEntry as found:
                    damage = str(found)
                yield Listed(path=path, entry=entry, damage=damage, used=_date(path))

    def verify(self) -> tuple[str, ...]:
        """Check every byte; what is damaged is set aside as `.bad` and named in the answer."""
        damages = []
        for listed in self.entries(thorough=True):
            if listed.damage:
                with locked(self.images / LOCKS / listed.path.name, self.deadline):
                    set_aside(listed.path)
                damages.append(listed.damage)
        return tuple(damages)

    def find_unwanted(self, *, everything: bool = False) -> tuple[Path, ...]:
        """What nobody needs, or everything; touches nothing."""
        with disk_errors(self.cache):
            entries = [
                listed.path
                for listed in self.entries()
                if everything or listed.damage or listed.unused
            ]
            if everything:
                others = [self.cache / name for name in ("requests", "packages", "apt", CCACHE)]
            else:
                others = [*self._old_answers(), *self._idle_packages()]
            others += self._work_trees(everything=everything)
            return tuple(path for path in (*self._leftovers(), *entries, *others) if path.exists())

    def prune(self, *, everything: bool) -> dict[str, int]:
        """Remove what nobody needs, or everything; the names removed and their sizes in bytes."""
        with disk_errors(self.cache):
            unwanted = self.find_unwanted(everything=everything)
            sizes = {path.name: self._remove(path) for path in unwanted}
        return {name: size for name, size in sizes.items() if size}

    def prune_kernels(self, *, everything: bool) -> dict[str, int]:
        """Remove kernels and work trees that nobody needs, or all of them; as `prune` does."""
        with disk_errors(self.cache):
            kernels = [
                one.path
                for one in self.entries()
                if one.path.name.startswith(KERNELS) and (everything or one.damage or one.unused)
            ]
            trees = self._work_trees(everything=everything)
            return {path.name: self._remove(path) for path in (*kernels, *trees)}

    def _work_trees(self, *, everything: bool) -> list[Path]:
        before = datetime.now(UTC) - UNUSED_AFTER
        trees = (path for path in (self.cache / BUILDS).glob("*") if path.name != LOCKS)
        return [path for path in trees if everything or _date(path) < before]

    def _folders(self) -> list[Path]:
        if not self.images.is_dir():
            return []
        aside = (PART, BAD)
        return [
            path
            for path in sorted(self.images.iterdir())
            if path.name != LOCKS and path.suffix not in aside
        ]

    def _leftovers(self) -> Iterator[Path]:
        for suffix in (PART, BAD):
            yield from self.images.glob(f"*{suffix}")
        yield from (self.cache / "packages").glob(f"*{BAD}")

    def _remove(self, path: Path) -> int:
        """Remove a path; what is an entry, or left of one, after its builder, if any, finished."""
        size_bytes = read_size(path)
        if path.parent not in (self.images, self.cache / BUILDS):
            remove(path)
            return size_bytes
        with locked(path.parent / LOCKS / path.name.removesuffix(PART), self.deadline):
            remove(path)
        return size_bytes

    def _old_answers(self) -> list[Path]:
        before = datetime.now(UTC) - UNUSED_AFTER
        return [path for path in (self.cache / "requests").glob("*.json") if _date(path) < before]

    def _idle_packages(self) -> list[Path]:
        """Package files that no remembered answer names."""
        answers = (read_answer(path) for path in (self.cache / "requests").glob("*.json"))
        named = {package.file_name for answer in answers if answer for package in answer.packages}
        packages = (self.cache / "packages").glob("*.deb")
        return [path for path in packages if path.name not in named]


def _date(path: Path) -> datetime:
    return datetime.fromtimestamp(path.lstat().st_mtime, UTC)
