"""Commits of a git tree are read as a series, whatever its user's configuration says."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.unit.kernel.test_patch_series import NAME, OLD
from xenlab.errors import InputError
from xenlab.kernel.commit_range import COMMITS_MAX, is_range, read_range
from xenlab.waiting import Deadline

WHO = {
    f"GIT_{who}_{what}": f"some@{what}"
    for who in ("AUTHOR", "COMMITTER")
    for what in ("NAME", "EMAIL")
}


def git(tree: Path, *words: str) -> None:
    env = {**os.environ, **WHO, "GIT_CONFIG_GLOBAL": "/dev/null"}
    subprocess.run(["git", "-C", tree, *words], check=True, capture_output=True, env=env)


def commit(tree: Path, file: str, text: str, subject: str) -> None:
    (tree / file).parent.mkdir(parents=True, exist_ok=True)
    (tree / file).write_text(text)
    git(tree, "add", file)
    git(tree, "commit", "-q", "-m", subject)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two commits on a driver and one elsewhere between them, after `start`."""
    tree = tmp_path / "linux"
    tree.mkdir()
    git(tree, "init", "-q", "-b", "mine")
    commit(tree, NAME, "\n".join(OLD) + "\n", "start")
    git(tree, "tag", "start")
    commit(tree, NAME, "\n".join([*OLD, "a"]) + "\n", "net: one")
    commit(tree, "net/core/skbuff.c", "x\n", "net: elsewhere")
    commit(tree, NAME, "\n".join([*OLD, "a", "b"]) + "\n", "net: two")
    for key, value in (("diff.noprefix", "true"), ("color.ui", "always"), ("diff.context", "0")):
        git(tree, "config", key, value)
    return tree


def snapshot(tree: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in tree.rglob("*") if path.is_file()}


def test_range_is_a_series_in_the_order_of_its_commits(tree: Path) -> None:
    before = snapshot(tree)

    series = read_range(tree, "start..mine", Deadline.after(20.0))

    assert [patch.subject for patch in series.patches] == ["net: one", "net: elsewhere", "net: two"]
    assert all(len(patch.commit) == 40 for patch in series.patches)
    assert series.files == (NAME, "net/core/skbuff.c")
    assert series.name == "start..mine"
    assert snapshot(tree) == before


def test_range_can_be_held_to_some_paths(tree: Path) -> None:
    series = read_range(tree, "start..mine", Deadline.after(20.0), only=[NAME])

    assert [patch.subject for patch in series.patches] == ["net: one", "net: two"]


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("start..yours", "no commit `yours`"),
        ("mine..start", "no commit in `mine..start`"),
        ("--output=x..mine", "no range of commits"),
        ("start..--all", "no range of commits"),
        ("start", "no range of commits"),
    ],
)
def test_range_that_is_none_is_refused(tree: Path, word: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        read_range(tree, word, Deadline.after(20.0))


def test_folder_that_is_no_tree_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a git repository"):
        read_range(tmp_path, "a..b", Deadline.after(20.0))
    with pytest.raises(InputError, match="no such folder"):
        read_range(tmp_path / "none", "a..b", Deadline.after(20.0))


def test_words_that_could_be_ranges_are_told_from_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a..b").write_text("")

    assert is_range("v6.1..mine~2")
    assert not is_range("a..b")
    assert not is_range("../x.patch")
    assert COMMITS_MAX > 500
