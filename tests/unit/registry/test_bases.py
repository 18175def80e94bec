"""A base is kept whole under its key, and another key is another base."""

from __future__ import annotations

from pathlib import Path

import pytest

from xenlab.registry.bases import bases_folder, digest_program, digest_words, find_base, keep_base


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_base_is_found_by_its_key_alone() -> None:
    keep_base("ab", {"results.json": "one"})

    folder = find_base("ab")
    assert folder is not None
    assert (folder / "results.json").read_text() == "one"
    assert find_base("cd") is None


def test_later_base_takes_the_place_of_a_damaged_one() -> None:
    keep_base("ab", {"results.json": "one", "old": ""})
    keep_base("ab", {"results.json": "two"})

    assert [path.name for path in bases_folder().iterdir()] == ["ab"]
    assert [path.read_text() for path in (bases_folder() / "ab").iterdir()] == ["two"]


def test_base_that_cannot_be_written_leaves_nothing() -> None:
    with pytest.raises(OSError, match="No such file"):
        keep_base("ab", {"folder/results.json": "one"})

    assert list(bases_folder().iterdir()) == []


def test_words_are_not_mistaken_for_others() -> None:
    assert digest_words(["ab", "c"]) != digest_words(["a", "bc"])
    assert digest_words(["ab"]) != digest_words(["ab", ""])


def test_program_has_one_digest() -> None:
    assert digest_program() == digest_program()
    assert len(digest_program()) == 64
