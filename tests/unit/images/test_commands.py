"""`xenlab images`: what it prints, what it changes, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.unit.cache.builders import RECIPE, build_image, make_store
from tests.unit.cache.test_store import flip_bit
from xenlab.cache.entry import Entry
from xenlab.cli.images import images
from xenlab.errors import ChecksumMismatch, InputError, Unavailable


@pytest.fixture
def entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Entry:
    """An entry in the cache of a user who has nothing else."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return make_store(tmp_path / "xenlab" / "images").provide(RECIPE, build_image)


def invoke(*words: str) -> Result:
    return CliRunner().invoke(images, words)


def test_list_shows_kind_size_key_and_facts(entry: Entry) -> None:
    (line,) = invoke("list").stdout.splitlines()

    assert line.split() == ["root-dom0", "0.0", "MB", "0:00", "h", RECIPE.key[:24], "6.1.0-x"]


def test_list_as_json_holds_every_checksum(entry: Entry) -> None:
    document = json.loads(invoke("list", "--json").stdout)

    assert document["schema_version"] == 1
    (listed,) = document["images"]
    assert listed["name"] == entry.folder.name
    assert listed["sha256"] == entry.sha256
    assert listed["size_bytes"] == entry.size_bytes
    assert listed["damage"] is None


def test_list_says_what_is_damaged(entry: Entry) -> None:
    flip_bit(entry.path("config"))

    assert "damaged" in invoke("list").stdout
    (listed,) = json.loads(invoke("list", "--json").stdout)["images"]
    assert "config" in listed["damage"]


def test_verify_ends_well_when_all_is_whole(entry: Entry) -> None:
    result = invoke("verify")

    assert result.exit_code == 0
    assert "every image is what it was" in result.stdout


def test_verify_ends_with_a_mismatch_and_sets_aside(entry: Entry) -> None:
    flip_bit(entry.path("root.cpio"))

    result = invoke("verify")

    assert isinstance(result.exception, ChecksumMismatch)
    assert "root.cpio" in str(result.exception)
    assert not entry.folder.exists()


def test_prune_says_what_went(entry: Entry) -> None:
    assert "0.0 MB  freed" in invoke("prune").stdout
    assert entry.folder.exists()

    assert entry.folder.name in invoke("prune", "--all").stdout
    assert not entry.folder.exists()


def test_build_offline_of_what_was_never_resolved_is_unavailable(entry: Entry) -> None:
    result = invoke("build", "--offline")

    assert isinstance(result.exception, Unavailable)
    assert "needs the network" in str(result.exception)


def test_build_of_an_unknown_topology_is_an_input_error(entry: Entry) -> None:
    assert isinstance(invoke("build", "no-such-topology").exception, InputError)


def test_build_of_a_suite_that_is_no_name_is_an_input_error(entry: Entry) -> None:
    assert isinstance(invoke("build", "--suite", "../etc").exception, InputError)
