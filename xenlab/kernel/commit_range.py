"""Commit ranges: commits of somebody's git tree as a series of patches; the tree is only read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from xenlab.errors import InputError
from xenlab.kernel.patch import parse_patches
from xenlab.kernel.patch_series import PAPERS, PatchSeries
from xenlab.topology.wording import quote
from xenlab.transport.process import run
from xenlab.transport.shell import CommandResult
from xenlab.waiting import Deadline

# A revision must not be taken for an option, nor for another range.
RANGE = re.compile(r"(?P<first>[\w][\w./@{}^~+-]*?)\.\.(?P<last>[\w][\w./@{}^~+-]*)")
COMMITS_MAX = 1000
# Each commit as a mail: `From`, the subject, and below an empty line what it changes.
MAIL = "From %H Mon Sep 17 00:00:00 2001%nSubject: %s%n"
# Whatever the tree's own configuration says of how its user likes diffs.
PLAIN = (
    "--no-renames", "--full-index", "--binary", "--no-ext-diff", "--no-textconv", "--no-color",
    "--src-prefix=a/", "--dst-prefix=b/", "--unified=3",
)  # fmt: skip


def name_first(series: PatchSeries) -> str:
    """The commit on which the commits of a range lie: the kernel of it is `TREE@COMMIT`."""
    found = RANGE.fullmatch(series.name)
    assert found is not None, series.name
    return f"{series.patches[0].path.absolute()}@{found['first']}"


def say_no_tree(tree: Path) -> str:
    """What is wrong with a tree that is not there."""
    return f"--tree {quote(tree)}: no such folder"


def is_range(word: str) -> bool:
    """Whether a word could be `A..B`."""
    return RANGE.fullmatch(word) is not None and not Path(word).exists()


def read_range(
    tree: Path, word: str, deadline: Deadline, *, only: Sequence[str] = ()
) -> PatchSeries:
    """The commits of `A..B`, the oldest first, without merges.

    `only` takes those that change such paths, and of each what it changes there. A commit that
    changes nothing is none. Raises InputError for what git does not know, an empty range and one
    too long.
    """
    found = RANGE.fullmatch(word)
    if found is None:
        raise InputError(f"{quote(word)} is no range of commits such as v6.1..mine")
    for name in (found["first"], found["last"]):
        _require_commit(tree, name, deadline)
    paths = ("--", *only) if only else ()
    listed = _git(
        tree, deadline, "rev-list", "--reverse", "--no-merges", f"--max-count={COMMITS_MAX + 1}",
        word, *paths,
    ).require_success()  # fmt: skip
    count = len(listed.stdout.splitlines())
    if not count or count > COMMITS_MAX:
        what = f"more than {COMMITS_MAX} commits" if count else "no commit"
        raise InputError(f"{tree}: {what} in {quote(word)}")
    argv = ("diff-tree", "--stdin", "--root", "-r", "-p", *PLAIN, f"--format={MAIL}")
    told = _git(tree, deadline, *argv, *paths, stdin=listed.stdout).require_success()
    return PatchSeries(name=word, patches=parse_patches(tree, told.stdout))


def count_commits(tree: Path, word: str, deadline: Deadline, *, besides: Sequence[str]) -> int:
    """How many commits of a range change what is built, `besides` such paths.

    `read_range` has read it. Merges are not counted.
    """
    others = (f":(exclude){each}" for each in (*PAPERS, *besides))
    words = ("rev-list", "--count", "--no-merges", word, "--", ".", *others)
    return int(_git(tree, deadline, *words).require_success().stdout)


def _require_commit(tree: Path, name: str, deadline: Deadline) -> None:
    if not tree.is_dir():
        raise InputError(say_no_tree(tree))
    asked = _git(tree, deadline, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if asked.status != 0:
        inside = _git(tree, deadline, "rev-parse", "--git-dir")
        told = inside.stderr.decode(errors="replace").strip().splitlines()
        raise InputError(f"{tree}: {told[0] if told else f'no commit {quote(name)} in it'}")


def _git(tree: Path, deadline: Deadline, *words: str, stdin: bytes = b"") -> CommandResult:
    """Ask git, which is to write nothing, not even an index."""
    argv = ("git", "--no-optional-locks", "-C", str(tree), *words)
    return run(argv, deadline=deadline, stdin=stdin)
