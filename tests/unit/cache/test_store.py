"""The store gives back what was built, notices any change to it, and builds once."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.cache.builders import (
    FACTS,
    IMAGE,
    RECIPE,
    WAIT_S,
    build_image,
    die_while_building,
    make_store,
    provide_and_count,
)
from xenlab.cache.entry import DamagedEntry, Recipe, read_entry
from xenlab.errors import ChecksumMismatch, LabError

PROCESSES = multiprocessing.get_context("spawn")


def refuse_to_build(part: Path) -> Mapping[str, str]:
    raise AssertionError(f"{part} is built although it is in the store")


def flip_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def flip_bit_and_hide_the_date(path: Path) -> None:
    before = path.stat()
    flip_bit(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def replace_by_symlink(path: Path) -> None:
    path.rename(path.parent.parent / "elsewhere")
    path.symlink_to(path.parent.parent / "elsewhere")


def replace_by_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def remove(path: Path) -> None:
    path.unlink()


DAMAGES = [
    flip_bit,
    flip_bit_and_hide_the_date,
    truncate,
    empty,
    replace_by_symlink,
    replace_by_fifo,
    replace_by_folder,
    remove,
]


def test_entry_is_built_once_and_found_again(tmp_path: Path) -> None:
    built = make_store(tmp_path).provide(RECIPE, build_image)
    found = make_store(tmp_path).provide(RECIPE, refuse_to_build)

    assert found == built
    assert found.path("root.cpio").read_bytes() == IMAGE
    assert found.facts == FACTS


def test_any_other_input_is_another_entry(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    other = replace(RECIPE, inputs={**RECIPE.inputs, "builder": 2})

    folders = {store.provide(recipe, build_image).folder for recipe in (RECIPE, other)}

    assert len(folders) == 2


def test_order_of_the_inputs_does_not_matter() -> None:
    backwards = dict(reversed(list(RECIPE.inputs.items())))

    assert Recipe(kind=RECIPE.kind, inputs=backwards).key == RECIPE.key


@pytest.mark.parametrize("name", ["root.cpio", "config", "entry.json"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_entry_is_set_aside_and_built_again(
    tmp_path: Path, damage: Callable[[Path], None], name: str
) -> None:
    entry = make_store(tmp_path).provide(RECIPE, build_image)
    damage(entry.path(name))

    again = make_store(tmp_path).provide(RECIPE, build_image)

    assert again.sha256 == entry.sha256
    assert again.path("root.cpio").read_bytes() == IMAGE
    assert (tmp_path / f"{entry.folder.name}.bad").is_dir()
    make_store(tmp_path).provide(RECIPE, refuse_to_build)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_entry_is_an_error_while_offline(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    entry = make_store(tmp_path).provide(RECIPE, build_image)
    damage(entry.path("root.cpio"))

    with pytest.raises(ChecksumMismatch, match=r"root\.cpio.*set aside"):
        make_store(tmp_path, offline=True).provide(RECIPE, refuse_to_build)

    assert not entry.folder.exists()


def test_entry_that_became_a_link_is_set_aside(tmp_path: Path) -> None:
    entry = make_store(tmp_path).provide(RECIPE, build_image)
    entry.folder.rename(tmp_path / "elsewhere")
    entry.folder.symlink_to(tmp_path / "elsewhere")

    again = make_store(tmp_path).provide(RECIPE, build_image)

    assert not again.folder.is_symlink()
    assert (tmp_path / f"{entry.folder.name}.bad").is_symlink()


def test_entry_under_another_name_is_not_taken_for_it(tmp_path: Path) -> None:
    other = replace(RECIPE, inputs={"builder": 2})
    store = make_store(tmp_path)
    store.provide(other, build_image).folder.rename(tmp_path / RECIPE.entry_name)

    again = store.provide(RECIPE, build_image)

    assert json.loads(again.path("entry.json").read_text())["inputs"] == RECIPE.inputs


def test_facts_that_were_changed_are_noticed(tmp_path: Path) -> None:
    entry = make_store(tmp_path).provide(RECIPE, build_image)
    record = entry.path("entry.json")
    record.write_text(record.read_text().replace("6.1.0-x", "6.1.0-y"))

    with pytest.raises(ChecksumMismatch, match=r"entry\.json: changed since the build"):
        make_store(tmp_path, offline=True).provide(RECIPE, refuse_to_build)


@pytest.mark.parametrize("text", ["", "[]", "null", '{"root.cpio": 1}', "\x00"])
def test_lost_stamps_cost_a_check_and_nothing_else(tmp_path: Path, text: str) -> None:
    entry = make_store(tmp_path).provide(RECIPE, build_image)
    entry.path("verified.json").write_text(text)

    assert make_store(tmp_path).provide(RECIPE, refuse_to_build) == entry


def test_thorough_check_finds_what_no_date_shows(tmp_path: Path) -> None:
    entry = make_store(tmp_path).provide(RECIPE, build_image)
    flip_bit(entry.path("root.cpio"))
    status = entry.path("root.cpio").stat()
    stamps = json.loads(entry.path("verified.json").read_text())
    stamps["root.cpio"] = [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]
    entry.path("verified.json").write_text(json.dumps(stamps))

    assert read_entry(entry.folder) == entry
    with pytest.raises(DamagedEntry, match="checksum"):
        read_entry(entry.folder, thorough=True)


def test_failed_build_leaves_nothing(tmp_path: Path) -> None:
    def fail(part: Path) -> Mapping[str, str]:
        (part / "root.cpio").write_bytes(IMAGE)
        raise LabError("no such package")

    with pytest.raises(LabError, match="no such package"):
        make_store(tmp_path).provide(RECIPE, fail)

    assert [path.name for path in tmp_path.iterdir()] == ["locks"]


def test_two_builders_at_once_build_once(tmp_path: Path) -> None:
    log = tmp_path / "builds"
    one, two = PROCESSES.Event(), PROCESSES.Event()
    store = tmp_path / "store"
    builders = [
        PROCESSES.Process(target=provide_and_count, args=(store, log, own, other))
        for own, other in ((one, two), (two, one))
    ]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join(WAIT_S)

    assert [builder.exitcode for builder in builders] == [0, 0]
    assert len(log.read_text().splitlines()) == 1


def test_killed_builder_blocks_nobody(tmp_path: Path) -> None:
    builder = PROCESSES.Process(target=die_while_building, args=(tmp_path,))
    builder.start()
    builder.join(WAIT_S)
    assert builder.exitcode == -signal.SIGKILL
    assert (tmp_path / f"{RECIPE.entry_name}.part").is_dir()

    entry = make_store(tmp_path).provide(RECIPE, build_image)

    assert entry.path("root.cpio").read_bytes() == IMAGE
    assert not (tmp_path / f"{RECIPE.entry_name}.part").exists()
