"""PatchSeries: patches in their order, applied to a source tree or refused with the reason."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from xenlab.errors import InputError
from xenlab.kernel.patch import Hunk, Patch, is_letter, read_patches
from xenlab.transport.process import run
from xenlab.waiting import Deadline

PATTERN = "*.patch"
SUFFIXES = frozenset({".patch", ".diff", ".mbox", ".mbx"})
QUILT_SERIES = "series"
# As `git format-patch --cover-letter` numbers its letter; with -v2 the name begins with that.
LETTER = re.compile(r"(?:v\d+-)?0+-")
# Between the names of series that lie on each other.
JOINT = "+"
SHOWN_LINES = 3
# What no kernel is built from; a tree of a driver's sources has none of it.
PAPERS = ("Documentation/", "MAINTAINERS", "CREDITS")
EXCLUDED = tuple(f"--exclude={each}{'*' if each.endswith('/') else ''}" for each in PAPERS)

# Nobody's configuration has a say in what applies.
GIT_ENV = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchSeries:
    """One patch or more; `name` is how people call it."""

    name: str
    patches: tuple[Patch, ...]

    @classmethod
    def read(cls, path: Path) -> PatchSeries:
        """The patches of a file, or of a folder's files in the order of `series` or of their names.

        Raises InputError with all that is wrong in any of them.
        """
        files = _list_patches(path) if path.is_dir() else [path]
        if not files:
            raise InputError(f"{path}: no {PATTERN} in it")
        patches: list[Patch] = []
        problems: list[str] = []
        for file in files:
            try:
                patches += read_patches(file)
            except InputError as error:
                problems += error.problems
        if problems:
            raise InputError(*problems)
        name = path.name.removesuffix(path.suffix if path.suffix in SUFFIXES else "")
        return cls(name=name, patches=tuple(patches))

    @classmethod
    def join(cls, all_series: Iterable[PatchSeries]) -> PatchSeries:
        """One series of several, each on top of the one before."""
        joined = tuple(all_series)
        return cls(
            name=JOINT.join(series.name for series in joined),
            patches=tuple(patch for series in joined for patch in series.patches),
        )

    def first(self, count: int) -> PatchSeries:
        """Its first patches; the name says how many of all they are."""
        return replace(
            self, name=f"{self.name} {count}/{len(self.patches)}", patches=self.patches[:count]
        )

    @property
    def files(self) -> tuple[str, ...]:
        """Every file of the source tree that it touches."""
        return tuple(dict.fromkeys(file for patch in self.patches for file in patch.files))

    @property
    def digests(self) -> list[str]:
        """The SHA-256 of each patch, in order."""
        return [hashlib.sha256(patch.content).hexdigest() for patch in self.patches]

    def apply(self, tree: Path, deadline: Deadline) -> None:
        """Change a tree that is ours alone; what no kernel is built from is left out.

        Raises InputError for the first patch that does not apply: its file and line, the hunk, and
        what stands in the place that is most like the one it wants.
        """
        for patch in self.patches:
            result = _git_apply(patch, tree, deadline)
            if result is None:
                continue
            if _git_apply(patch, tree, deadline, "--check", "--reverse") is None:
                raise InputError(f"{patch.place}: it is applied already")
            hunks = (hunk for hunk in patch.hunks if not hunk.file.startswith(PAPERS))
            failing = next((hunk for hunk in hunks if not _fits(hunk, tree)), None)
            told = _explain(patch, failing, tree) if failing else f"{patch.place}: {result}"
            raise InputError(told)


def _list_patches(folder: Path) -> list[Path]:
    series = folder / QUILT_SERIES
    if not series.is_file():
        files = sorted(folder.glob(PATTERN))
        letters = {file for file in files if LETTER.match(file.name) and _is_letter(file)}
        return [file for file in files if file not in letters] or files
    lines = [line.partition("#")[0].split() for line in series.read_text().splitlines()]
    problems = [
        f"{series}:{number}: {problem}"
        for number, words in enumerate(lines, start=1)
        for problem in _find_problems(words)
    ]
    if problems:
        raise InputError(*problems)
    return [folder / words[0] for words in lines if words]


def _is_letter(file: Path) -> bool:
    return file.is_file() and is_letter(file.read_bytes())


def _find_problems(words: list[str]) -> Iterator[str]:
    """What is wrong about a line of `series`: a patch, and perhaps how quilt is to apply it."""
    for name in words[:1]:
        if name.startswith("/") or ".." in name.split("/"):
            yield f"{name!r} leads out of the folder"
    for option in words[1:]:
        if option != "-p1":
            yield f"{option!r}: patches are applied from the root of the source (-p1), forwards"


def _git_apply(patch: Patch, tree: Path, deadline: Deadline, *options: str) -> str | None:
    """Apply a patch, whole or not at all; None, or git's words if it does not apply."""
    # A tree below somebody's repository is not part of it.
    env = {**GIT_ENV, "GIT_CEILING_DIRECTORIES": str(tree.resolve().parent)}
    argv = ("git", "apply", "--whitespace=nowarn", *EXCLUDED, *options, "-")
    result = run(argv, stdin=patch.content, cwd=tree, env=env, deadline=deadline)
    return None if result.status == 0 else result.stderr.decode(errors="replace").strip()


def _fits(hunk: Hunk, tree: Path) -> bool:
    """Whether the lines that a hunk wants stand anywhere in its file."""
    lines = _read_lines(tree / hunk.file)
    size = len(hunk.old)
    return any(tuple(lines[at : at + size]) == hunk.old for at in range(len(lines) - size + 1))


def _explain(patch: Patch, hunk: Hunk, tree: Path) -> str:
    """Which hunk of which file does not apply, and how the nearest place differs from it."""
    what = f"{patch.at(hunk.patch_line)}: hunk {hunk.number} of {hunk.file} does not apply"
    lines = _read_lines(tree / hunk.file)
    if not lines:
        return f"{what}: there is no such file"
    at, equal = find_nearest(hunk, lines)
    if not equal:
        return f"{what}: nothing in the file is like it"
    pairs = [
        (at + index + 1, wanted, found)
        for index, (wanted, found) in enumerate(zip(hunk.old, lines[at:], strict=False))
        if wanted != found
    ][:SHOWN_LINES]
    shown = "".join(
        f"\n  line {number} is:  {found}\n  and wanted: {wanted}" for number, wanted, found in pairs
    )
    return f"{what}; {equal} of its {len(hunk.old)} lines are at line {at + 1}{shown}"


def find_nearest(hunk: Hunk, lines: list[str]) -> tuple[int, int]:
    """Where in a file most of a hunk's lines stand, and how many; near where it says, if equal."""
    scores = (
        (sum(map(str.__eq__, hunk.old, lines[at:])), -abs(at + 1 - hunk.start), at)
        for at in range(len(lines))
    )
    equal, _distance, at = max(scores)
    return at, equal


def _read_lines(path: Path) -> list[str]:
    """The lines of a file of the tree; none if it is not there."""
    if not path.is_file():
        return []
    return path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
