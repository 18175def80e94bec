"""The words of `xenlab try`: which are patches, which are suites, and what the patches are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from xenlab.cli.suite_order import NODE_ID, SuiteOrder, shipped_suites
from xenlab.errors import InputError
from xenlab.kernel.commit_range import count_commits, is_range, read_range, say_no_tree
from xenlab.kernel.driver import SHARED_HEADERS, DriverKind
from xenlab.kernel.patch_series import PatchSeries
from xenlab.kernel.shelf import list_series, shelf
from xenlab.topology.wording import did_you_mean, list_names, quote
from xenlab.waiting import Deadline

DEFAULT_SUITES = ("smoke", "slots", "compound", "gso", "fraglist", "rx")
QUICK_SUITES = ("smoke",)
TREE_LIMIT_S = 300.0
# All that a driver's module is built from alone.
DRIVER_PATHS = (*(kind.sources for kind in DriverKind), *SHARED_HEADERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchWords:
    """Patches in the order in which they are applied, and suites as they were called."""

    patches: tuple[str, ...]
    suites: tuple[str, ...]

    @classmethod
    def sort(cls, words: Iterable[str]) -> PatchWords:
        """A suite has a shipped one's name, or is a test file, or a test in one."""
        words = tuple(words)
        suites = tuple(word for word in words if _is_suite(word))
        return cls(patches=tuple(word for word in words if word not in suites), suites=suites)

    def read_series(self, tree: str | None) -> PatchSeries:
        """All patches as one series. Raises InputError with all that is wrong in any of them."""
        if not self.patches:
            raise InputError("no patch among these words", try_next="xenlab try --help")
        found: list[PatchSeries] = []
        wrong: list[InputError] = []
        for word in self.patches:
            try:
                found.append(_read(word, tree))
            except InputError as error:
                wrong.append(error)
        if wrong:
            raise InputError(
                *(problem for error in wrong for problem in error.problems),
                try_next=next((error.try_next for error in wrong if error.try_next), ""),
            )
        return PatchSeries.join(found)

    def require_use_of(self, tree: str) -> None:
        """Raise InputError for a tree that somebody typed and that nothing here is of."""
        problems = [] if Path(tree).is_dir() else [say_no_tree(Path(tree))]
        if not any(map(is_range, self.patches)):
            problems += ["--tree: none of the patches is a range of commits such as v6.1..mine"]
        if problems:
            raise InputError(*problems)

    def choose_suites(self, keyword: str, *, quick: bool) -> SuiteOrder:
        """Those that were named, or those that a patch on the drivers is to be tried with."""
        default = QUICK_SUITES if quick else DEFAULT_SUITES
        return SuiteOrder.parse(
            self.suites or default, keyword=keyword, quick=quick, plant=None, plant_every=None,
            repeat=1,
        )  # fmt: skip


def read_driver_commits(word: str, tree: str) -> PatchSeries:
    """What the commits of a range change of a driver: nothing else can be in a module."""
    return read_range(Path(tree), word, Deadline.after(TREE_LIMIT_S), only=DRIVER_PATHS)


def count_others(word: str | None, tree: str | None) -> int:
    """How many commits of a range are not tried, or not whole; none where there is no range."""
    if word is None or tree is None:
        return 0
    deadline = Deadline.after(TREE_LIMIT_S)
    return count_commits(Path(tree), word, deadline, besides=DRIVER_PATHS)


def choose_test(word: str, keyword: str, *, quick: bool) -> SuiteOrder:
    """A suite, a test file, or a test of either by its name behind `::`."""
    suite, _, name = word.partition(NODE_ID)
    if suite in shipped_suites() and name:
        word, keyword = suite, f"({keyword}) and ({name})" if keyword else name
    return SuiteOrder.parse(
        (word,), keyword=keyword, quick=quick, plant=None, plant_every=None, repeat=1
    )


def _is_suite(word: str) -> bool:
    return word in shipped_suites() or NODE_ID in word or word.endswith(".py")


def _read(word: str, tree: str | None) -> PatchSeries:
    path = Path(word)
    if tree is not None and is_range(word):
        return read_range(Path(tree), word, Deadline.after(TREE_LIMIT_S))
    if word in list_series() and not path.exists():
        path = shelf() / "patches" / word
    if path.exists():
        return PatchSeries.read(path.absolute())
    if is_range(word):
        raise InputError(
            f"{quote(word)}: a range of commits needs its tree",
            try_next=f"xenlab try {word} --tree DIR",
        )
    raise _unknown(word)


def _unknown(word: str) -> InputError:
    """Neither a file nor a name: the names are listed unless it can only be a file's."""
    series, suites = list_series(), tuple(shipped_suites())
    hint = did_you_mean(word, (*series, *suites))
    names = f" (series: {list_names(series)}; suites: {list_names(suites)})"
    return InputError(
        f"no patch file, folder, series or suite {quote(word)}{hint}"
        f"{'' if set('./') & set(word) else names}",
        try_next="xenlab try --help",
    )
