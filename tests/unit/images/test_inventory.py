"""Housekeeping: what is there, whether it is whole, and what may go."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.cache.builders import RECIPE, build_image, make_store
from tests.unit.cache.test_store import flip_bit
from tests.unit.debian.test_supply import PACKAGE, REQUEST, remember
from xenlab.cache.entry import Entry
from xenlab.debian.supply import Answer
from xenlab.images.inventory import UNUSED_AFTER, Inventory
from xenlab.waiting import Deadline

OTHER = replace(RECIPE, kind="kernel")


@pytest.fixture
def entry(tmp_path: Path) -> Entry:
    return make_store(tmp_path / "images").provide(RECIPE, build_image)


@pytest.fixture
def inventory(tmp_path: Path) -> Inventory:
    return Inventory(cache=tmp_path, deadline=Deadline.after(10))


def age(path: Path, days: float) -> None:
    then = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    os.utime(path, (then, then))


def test_empty_cache_holds_nothing(inventory: Inventory) -> None:
    assert list(inventory.entries()) == []
    assert inventory.verify() == ()
    assert inventory.prune(everything=True) == {}


def test_entries_are_listed_by_name(tmp_path: Path, inventory: Inventory, entry: Entry) -> None:
    kernel = make_store(tmp_path / "images").provide(OTHER, build_image)

    assert [listed.entry for listed in inventory.entries()] == [kernel, entry]


def test_damaged_entry_is_listed_as_damaged(inventory: Inventory, entry: Entry) -> None:
    flip_bit(entry.path("root.cpio"))

    (listed,) = inventory.entries()

    assert listed.entry is None
    assert "root.cpio" in listed.damage


def test_verify_sets_the_damaged_aside_and_leaves_the_whole(
    tmp_path: Path, inventory: Inventory, entry: Entry
) -> None:
    kernel = make_store(tmp_path / "images").provide(OTHER, build_image)
    flip_bit(entry.path("root.cpio"))

    (damage,) = inventory.verify()

    assert "root.cpio" in damage
    assert [listed.entry for listed in inventory.entries()] == [kernel]
    assert (tmp_path / "images" / f"{entry.folder.name}.bad").exists()


def test_prune_keeps_what_is_used(tmp_path: Path, inventory: Inventory, entry: Entry) -> None:
    remember(tmp_path, Answer(request=REQUEST, packages=(PACKAGE,)))
    package = tmp_path / "packages" / PACKAGE.file_name
    package.parent.mkdir()
    package.write_bytes(b"x")

    assert inventory.prune(everything=False) == {}
    assert entry.folder.exists()
    assert package.exists()


def test_prune_removes_leftovers_and_what_is_unused(
    tmp_path: Path, inventory: Inventory, entry: Entry
) -> None:
    unused = make_store(tmp_path / "images").provide(OTHER, build_image)
    age(unused.folder, UNUSED_AFTER.days + 1)
    age(entry.folder, UNUSED_AFTER.days - 1)
    for name in ("xen-00.bad", "xen-11.part"):
        (tmp_path / "images" / name).mkdir()
        (tmp_path / "images" / name / "xen").write_bytes(b"123")
    old = remember(tmp_path, Answer(request=REQUEST, packages=(PACKAGE,)))
    age(old, UNUSED_AFTER.days + 1)
    package = tmp_path / "packages" / "idle_1_amd64.deb"
    package.parent.mkdir()
    package.write_bytes(b"1234")

    removed = inventory.prune(everything=False)

    assert removed["xen-00.bad"] == removed["xen-11.part"] == 3
    assert removed["idle_1_amd64.deb"] == 4
    assert old.name in removed
    assert unused.folder.name in removed
    assert [listed.entry for listed in inventory.entries()] == [entry]


def test_prune_all_leaves_an_empty_cache(
    tmp_path: Path, inventory: Inventory, entry: Entry
) -> None:
    remember(tmp_path, Answer(request=REQUEST, packages=(PACKAGE,)))

    removed = inventory.prune(everything=True)

    assert entry.folder.name in removed
    assert list(inventory.entries()) == []
    assert not (tmp_path / "requests").exists()


def test_using_an_entry_keeps_it_from_being_pruned(
    tmp_path: Path, inventory: Inventory, entry: Entry
) -> None:
    age(entry.folder, UNUSED_AFTER.days + 1)
    make_store(tmp_path / "images").provide(RECIPE, build_image)

    assert inventory.prune(everything=False) == {}


def test_answer_is_json_that_a_person_can_read(tmp_path: Path) -> None:
    answer = Answer(request=REQUEST, packages=(PACKAGE,))

    assert json.loads(remember(tmp_path, answer).read_text()) == json.loads(
        json.dumps(asdict(answer))
    )
