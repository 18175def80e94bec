"""PackageSupply: which packages a request means, remembered, and their files, fetched once."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from xenlab.cache.disk import disk_errors, make_folder, mark_used, write_whole
from xenlab.debian.archive import PackageArchive, open_archive
from xenlab.debian.package import DebPackage, PackageCache
from xenlab.errors import InputError, VersionUnavailable
from xenlab.waiting import Deadline

KEY_DIGITS = 24

# Debian policy 5.6.7; also keeps a name from being taken for an option of apt.
PACKAGE_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")
# Policy 5.6.12: `name=version` asks apt for exactly that one.
EXACT_PACKAGE = re.compile(PACKAGE_NAME.pattern + r"=[0-9][A-Za-z0-9.+:~-]*")
SUITE_NAME = re.compile(r"[a-z][a-z0-9]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked of a suite: packages, as `name` or `name=version`, and those to do without."""

    suite: str
    packages: tuple[str, ...]
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise InputError for a name that Debian could not have."""
        if not SUITE_NAME.fullmatch(self.suite):
            raise InputError(f"{self.suite!r} is not the name of a Debian suite, such as bookworm")
        for name in (*self.packages, *self.without):
            if not PACKAGE_NAME.fullmatch(name) and not EXACT_PACKAGE.fullmatch(name):
                raise InputError(f"{name!r} is not the name of a Debian package")

    @property
    def file_name(self) -> str:
        """The name of the file that remembers the answer."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return f"{self.suite}-{hashlib.sha256(text.encode()).hexdigest()[:KEY_DIGITS]}.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A request and the exact packages that it meant when it was resolved."""

    request: Request
    packages: tuple[DebPackage, ...]


@dataclass(slots=True, kw_only=True)
class PackageSupply:
    """Resolves and fetches; apt runs only for what is neither remembered nor in the cache.

    A suite's archive is locked against other processes while it is asked, and no longer.
    """

    cache: Path
    report: Callable[[str], None]
    offline: bool
    refresh: bool
    deadline: Deadline
    refreshed: set[str] = field(default_factory=set)
    answers: dict[Request, tuple[DebPackage, ...]] = field(default_factory=dict)

    def resolve(self, request: Request) -> tuple[DebPackage, ...]:
        """The packages that a request means: as remembered, or as apt says."""
        if request not in self.answers:
            self.answers[request] = self._resolve(request)
        return self.answers[request]

    def _resolve(self, request: Request) -> tuple[DebPackage, ...]:
        path = self.cache / "requests" / request.file_name
        remembered = None if self.refresh else read_answer(path)
        if remembered is not None:
            mark_used(path)
            return remembered.packages
        with self._archive(request.suite, f"resolving {' '.join(request.packages)}") as archive:
            packages = archive.resolve(request.packages, request.without)
        make_folder(path.parent)
        answer = dataclasses.asdict(Answer(request=request, packages=packages))
        write_whole(path, json.dumps(answer, indent=1).encode())
        return packages

    def fetch(self, suite: str, packages: Sequence[DebPackage]) -> tuple[Path, ...]:
        """The packages' files, in the same order, each checked against its SHA-256."""
        files = PackageCache(folder=self.cache / "packages")
        missing = files.missing(packages)
        if missing:
            size_mb = sum(package.size_bytes for package in missing) / 1e6
            what = f"fetching {len(missing)} packages, {size_mb:.0f} MB"
            with self._archive(suite, what) as archive:
                archive.fetch(missing, files)
        return tuple(files.path(package) for package in packages)

    @contextmanager
    def _archive(self, suite: str, what: str) -> Iterator[PackageArchive]:
        """The archive of a suite, for as long as the context lasts: others may be waiting for it.

        A kernel is built for minutes with the supply in hand that its packages came from.
        """
        if self.offline:
            raise VersionUnavailable(
                f"{suite}: {what} needs the network", try_next="the same without --offline"
            )
        with open_archive(
            suite,
            self.cache / "apt" / suite,
            report=self.report,
            refresh=self.refresh and suite not in self.refreshed,
            deadline=self.deadline,
        ) as archive:
            self.refreshed.add(suite)
            self.report(f"{suite}: {what}")
            yield archive


def read_answer(path: Path) -> Answer | None:
    """What was resolved before; None if nothing was or it cannot be understood: ask again then."""
    with disk_errors(path):
        if not path.is_file():
            return None
        text = path.read_bytes()
    try:
        return TypeAdapter(Answer).validate_json(text)
    except (ValidationError, InputError):  # another version of xenlab may ask for other things
        return None
