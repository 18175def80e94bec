"""Sources are laid out, patched and unpatched, and nobody's own tree is touched."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.kernel.small_tree import commit, git
from xenlab.errors import InputError
from xenlab.kernel.origin import GitOrigin
from xenlab.kernel.patch_series import PatchSeries
from xenlab.kernel.work_tree import WorkTree, hold_work_tree
from xenlab.waiting import Deadline

LONG_AGO_NS = 10**18

CHANGE = """\
--- a/net/core.c
+++ b/net/core.c
@@ -1 +1 @@
-core
+patched core
--- /dev/null
+++ b/net/new.c
@@ -0,0 +1 @@
+new
"""
WRONG = CHANGE.replace("-core", "-kernel")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveOrigin:
    """A source that can only be had whole, as out of a package."""

    files: dict[str, str]

    @property
    def lineage(self) -> str:
        return "archive"

    @property
    def state(self) -> str:
        return hashlib.sha256(repr(self.files).encode()).hexdigest()

    @property
    def label(self) -> str:
        return "an archive"

    def fill(self, tree: Path) -> None:
        for name, text in self.files.items():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_text(text)

    def find_changed(self, since: str) -> tuple[str, ...] | None:
        return () if since == self.state else None

    def extract(self, files: Sequence[str], folder: Path) -> bool:  # noqa: ARG002
        return False


ARCHIVE = ArchiveOrigin(files={"net/core.c": "core\n", "net/other.c": "other\n"})


def commit_files(tree: Path, **files: str) -> None:
    """Write files (`__` stands for `/`, `_c` for `.c`) and commit them."""
    for name, text in files.items():
        path = tree / name.replace("__", "/").replace("_c", ".c")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    commit(tree)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    tree = tmp_path / "linux"
    tree.mkdir()
    git(tree, "init", "--quiet")
    commit_files(tree, net__core_c="core\n", net__other_c="other\n")
    return tree


def resolve(tree: Path, revision: str = "HEAD") -> GitOrigin:
    return GitOrigin.resolve(tree, revision, Deadline.after(60.0))


def series(folder: Path, text: str) -> tuple[PatchSeries, ...]:
    path = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:8]}.patch"
    path.write_text(text)
    return (PatchSeries.read(path),)


def read_files(tree: WorkTree) -> dict[str, str]:
    files = (path for path in sorted(tree.source.rglob("*")) if path.is_file())
    return {path.relative_to(tree.source).as_posix(): path.read_text() for path in files}


def age(tree: WorkTree) -> None:
    """Date every file long ago, as one that was built from."""
    for path in tree.source.rglob("*.c"):
        os.utime(path, ns=(LONG_AGO_NS, LONG_AGO_NS))


def find_rewritten(tree: WorkTree) -> list[str]:
    return sorted(
        path.relative_to(tree.source).as_posix()
        for path in tree.source.rglob("*.c")
        if path.stat().st_mtime_ns != LONG_AGO_NS
    )


@pytest.fixture(params=["archive", "git"])
def origin(request: pytest.FixtureRequest, repository: Path) -> ArchiveOrigin | GitOrigin:
    return ARCHIVE if request.param == "archive" else resolve(repository)


def test_series_is_put_on_and_taken_off_and_only_what_differs_is_written(
    origin: ArchiveOrigin | GitOrigin, tmp_path: Path
) -> None:
    patches = series(tmp_path, CHANGE)
    with hold_work_tree(tmp_path / "builds", origin.lineage, Deadline.after(60.0)) as tree:
        tree.bring_to(origin, patches)
        assert read_files(tree) == {
            "net/core.c": "patched core\n", "net/new.c": "new\n", "net/other.c": "other\n",
        }  # fmt: skip
        age(tree)
        tree.bring_to(origin, patches)
        assert find_rewritten(tree) == []

        tree.bring_to(origin, ())

        assert read_files(tree) == {"net/core.c": "core\n", "net/other.c": "other\n"}
        assert find_rewritten(tree) == ["net/core.c"]


def test_series_that_does_not_apply_leaves_the_tree_as_it_was(
    origin: ArchiveOrigin | GitOrigin, tmp_path: Path
) -> None:
    with hold_work_tree(tmp_path / "builds", origin.lineage, Deadline.after(60.0)) as tree:
        tree.bring_to(origin, series(tmp_path, CHANGE))
        before = read_files(tree)
        age(tree)

        with pytest.raises(InputError, match=r"hunk 1 of net/core\.c does not apply"):
            tree.bring_to(origin, series(tmp_path, WRONG))

        assert (read_files(tree), find_rewritten(tree)) == (before, [])
        assert not list(tree.folder.glob("stage-*"))


def test_series_is_tried_in_its_order_and_the_tree_stays_as_it_is(
    origin: ArchiveOrigin | GitOrigin, tmp_path: Path
) -> None:
    again = CHANGE.replace("-core", "-patched core").replace("+patched core", "+again")
    upper = again[: again.index("--- /dev/null")]
    with hold_work_tree(tmp_path / "builds", origin.lineage, Deadline.after(60.0)) as tree:
        tree.require_applicable(origin, (*series(tmp_path, CHANGE), *series(tmp_path, upper)))
        tree.bring_to(origin, series(tmp_path, CHANGE))
        before = read_files(tree)
        age(tree)

        tree.require_applicable(origin, series(tmp_path, CHANGE))
        for wrong in (upper, WRONG):
            with pytest.raises(InputError, match=r"hunk 1 of net/core\.c does not apply"):
                tree.require_applicable(origin, series(tmp_path, wrong))

        assert (read_files(tree), find_rewritten(tree)) == (before, [])
        assert not list(tree.folder.glob("stage-*"))
        tree.bring_to(origin, ())
        assert read_files(tree) == ARCHIVE.files


def test_tree_that_was_left_half_way_is_laid_out_anew(tmp_path: Path) -> None:
    with hold_work_tree(tmp_path / "builds", ARCHIVE.lineage, Deadline.after(60.0)) as tree:
        tree.bring_to(ARCHIVE, ())
        (tree.folder / "state.json").unlink()
        (tree.source / "net/core.c").write_text("half of it")

        tree.bring_to(ARCHIVE, ())

        assert read_files(tree) == ARCHIVE.files


def test_next_commit_costs_the_files_that_differ_and_the_users_tree_stays_as_it_is(
    repository: Path, tmp_path: Path
) -> None:
    first = resolve(repository)
    with hold_work_tree(tmp_path / "builds", first.lineage, Deadline.after(60.0)) as tree:
        tree.bring_to(first, series(tmp_path, CHANGE))
        age(tree)
        commit_files(repository, net__other_c="another\n", net__third_c="third\n")
        (repository / "net/core.c").write_text("not committed\n")
        index = (repository / ".git/index").read_bytes()
        status = git(repository, "status", "--porcelain")

        tree.bring_to(resolve(repository), series(tmp_path, CHANGE))

        assert read_files(tree)["net/core.c"] == "patched core\n"
        assert find_rewritten(tree) == ["net/other.c", "net/third.c"]
    assert (repository / ".git/index").read_bytes() == index
    assert git(repository, "status", "--porcelain") == status == "M net/core.c"


def test_same_content_is_the_same_source_whatever_its_history(repository: Path) -> None:
    before = resolve(repository)
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "nothing")

    assert resolve(repository).state == before.state
    assert resolve(repository).commit != before.commit


@pytest.mark.parametrize(
    ("revision", "told"),
    [
        ("v9.9", "no commit `v9.9` in it"),
        ("--all", "is no name of a commit"),
        ("a b", "is no name"),
    ],
)
def test_commit_that_is_none_is_refused(repository: Path, revision: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        resolve(repository, revision)


def test_folder_that_is_no_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a git repository"):
        resolve(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        resolve(tmp_path / "none")
