"""Origins: where the source of a kernel that is built here comes from, read and never written."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from xenlab.cache.disk import require_room
from xenlab.debian.package import DebPackage
from xenlab.debian.supply import PackageSupply
from xenlab.debian.unpacking import unpack_debs
from xenlab.errors import InputError
from xenlab.topology.wording import quote
from xenlab.transport.process import run
from xenlab.transport.shell import CommandResult
from xenlab.waiting import Deadline

# Linux 6.1: 139 MB packed, 1.4 GB unpacked, on disks that round up.
SOURCE_BYTES = 1_800_000_000

ARCHIVES = "usr/src/linux-source-*.tar.xz"
TAR = ("tar", "--extract", "--no-same-owner", "--touch")

# A commit must not be taken for an option, nor a revision for a range or a path in it.
REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./@{}^~+-]*")
COMMIT_DIGITS = 12

# Of a line of `git status --porcelain`, before the file: two letters and a space.
STATUS_CHARS = 3

# More files than a command line holds: laying all out anew is not much dearer then.
MANY_FILES = 1000


class SourceOrigin(Protocol):
    """Gives the whole source, and later what of it is another than it was.

    `lineage` is equal for sources that can be turned into each other file by file, `state` says
    which of them this is: equal states have equal content.
    """

    @property
    def lineage(self) -> str:
        """What one work tree serves."""
        ...

    @property
    def state(self) -> str:
        """Which source it is."""
        ...

    @property
    def label(self) -> str:
        """How messages call it."""
        ...

    def fill(self, tree: Path) -> None:
        """Lay the whole source out in an empty folder."""
        ...

    def find_changed(self, since: str) -> tuple[str, ...] | None:
        """The files that differ from another state; None if nobody knows, so that all may."""
        ...

    def extract(self, files: Sequence[str], folder: Path) -> bool:
        """Lay out those of the files that the source has; False if only a whole tree could tell."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DebianOrigin:
    """The source package of a Debian kernel: the archive in it, with Debian's patches applied."""

    supply: PackageSupply
    suite: str
    packages: tuple[DebPackage, ...]
    deadline: Deadline

    @property
    def lineage(self) -> str:
        """Two versions of a package have no history in common: each has a tree of its own."""
        return self.state

    @property
    def state(self) -> str:
        """The packages by their content."""
        text = " ".join(sorted(package.sha256 for package in self.packages))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def label(self) -> str:
        """The package's name and version."""
        return " ".join(f"{package.name} {package.version}" for package in self.packages)

    def fill(self, tree: Path) -> None:
        """Unpack the archive of the source package."""
        require_room(tree, SOURCE_BYTES)
        debs = self.supply.fetch(self.suite, self.packages)
        self.supply.report(f"unpacking {self.label}")
        with tempfile.TemporaryDirectory(prefix="unpacked-", dir=tree.parent) as scratch:
            unpack_debs(debs, Path(scratch), self.deadline)
            archive = find_archive(Path(scratch))
            where = ("--strip-components=1", "--directory", str(tree), "--file", str(archive))
            run((*TAR, "--xz", *where), deadline=self.deadline).require_success()

    def find_changed(self, since: str) -> tuple[str, ...] | None:
        """Nothing, for there is one state only."""
        return () if since == self.state else None

    def extract(self, files: Sequence[str], folder: Path) -> bool:  # noqa: ARG002
        """Not from an archive that is packed as a whole."""
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class GitOrigin:
    """A commit of somebody's git tree; of what is not committed nothing is seen or touched."""

    tree: Path
    commit: str
    content: str
    deadline: Deadline

    @classmethod
    def resolve(cls, tree: Path, revision: str, deadline: Deadline) -> GitOrigin:
        """The commit that a name means. Raises InputError for what git does not know."""
        if not tree.is_dir():
            raise InputError(f"{tree}: no such folder")
        if not REVISION.fullmatch(revision):
            raise InputError(f"{tree}: {quote(revision)} is no name of a commit")
        names = (f"{revision}^{{commit}}", f"{revision}^{{tree}}")
        hashes = [_git(tree, deadline, "rev-parse", "--verify", "--quiet", name) for name in names]
        if any(found.status != 0 for found in hashes):
            inside = _git(tree, deadline, "rev-parse", "--git-dir")
            told = inside.stderr.decode(errors="replace").strip().splitlines()
            raise InputError(f"{tree}: {told[0] if told else f'no commit {quote(revision)} in it'}")
        commit, content = (found.text.strip() for found in hashes)
        return cls(tree=tree, commit=commit, content=content, deadline=deadline)

    @property
    def lineage(self) -> str:
        """One work tree follows one repository."""
        return hashlib.sha256(str(self.tree.resolve()).encode()).hexdigest()

    @property
    def state(self) -> str:
        """The hash of the commit's tree: equal content has equal hashes, whatever its history."""
        return self.content

    @property
    def label(self) -> str:
        """The folder and the commit."""
        return f"{self.tree} at {self.commit[:COMMIT_DIGITS]}"

    def fill(self, tree: Path) -> None:
        """The whole commit, as `git archive` gives it."""
        require_room(tree, SOURCE_BYTES)
        self._archive((), tree)

    def find_changed(self, since: str) -> tuple[str, ...] | None:
        """By git's comparison of the two trees; None if it has the other one no more."""
        argv = ("diff-tree", "-r", "-z", "--no-renames", "--name-only", since, self.content)
        answer = _git(self.tree, self.deadline, *argv)
        files = tuple(answer.text.split("\0")[:-1])
        return files if answer.status == 0 and len(files) <= MANY_FILES else None

    def extract(self, files: Sequence[str], folder: Path) -> bool:
        """Those of the files that the commit has."""
        argv = ("ls-tree", "-r", "-z", "--name-only", self.content, "--", *files)
        listed = _git(self.tree, self.deadline, "--literal-pathspecs", *argv).require_success()
        there = tuple(listed.text.split("\0")[:-1])
        if there:
            self._archive(there, folder)
        return True

    def _archive(self, files: Sequence[str], folder: Path) -> None:
        with tempfile.NamedTemporaryFile(prefix="source-", suffix=".tar", dir=folder.parent) as tar:
            argv = ("archive", "--format=tar", f"--output={tar.name}", self.content)
            _git(self.tree, self.deadline, "--literal-pathspecs", *argv, *files).require_success()
            where = ("--directory", str(folder), "--file", tar.name)
            run((*TAR, *where), deadline=self.deadline).require_success()


def find_uncommitted(tree: Path, deadline: Deadline) -> tuple[str, ...]:
    """The files that git knows and whose content is in no commit yet; a bare tree has none."""
    argv = ("status", "--porcelain=v1", "-z", "--untracked-files=no", "--no-renames")
    if _git(tree, deadline, "rev-parse", "--is-inside-work-tree").text.strip() != "true":
        return ()
    told = _git(tree, deadline, *argv).require_success().text
    return tuple(line[STATUS_CHARS:] for line in told.split("\0") if line)


def find_archive(folder: Path) -> Path:
    """The one archive that an unpacked source package has in it."""
    archives = list(folder.glob(ARCHIVES))
    if len(archives) != 1:
        raise InputError(f"one archive of Linux' source expected, found {len(archives)}")
    return archives[0]


def _git(tree: Path, deadline: Deadline, *words: str) -> CommandResult:
    """Ask git about somebody's tree, and change nothing in it, not even an index."""
    argv = ("git", "--no-optional-locks", "-C", str(tree), *words)
    return run(argv, deadline=deadline)
