"""Checkpoints are held to a limit: what is damaged goes first, then the least recently used."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from xenlab.checkpoint.key import Level
from xenlab.checkpoint.store import CheckpointFacts, CheckpointStore

SIZE_BYTES = 1 << 20


@pytest.fixture
def store(tmp_path: Path) -> CheckpointStore:
    return CheckpointStore(root=tmp_path)


def save(store: CheckpointStore, key: str, *, used_s_ago: float, machine: str = "") -> Path:
    """A checkpoint of SIZE_BYTES that was last used so long ago."""
    with store.new(key) as part:
        (part / "memory").write_bytes(os.urandom(SIZE_BYTES))
        facts = CheckpointFacts(
            level=Level.BARE, topology="pair", machine_uuid=machine, machine_name="",
            domids=(), created_unix_s=0.0,
        )  # fmt: skip
        store.publish(part, key, facts)
    used = time.time() - used_s_ago
    os.utime(store.root / key, (used, used))
    return store.root / key


def test_least_recently_used_goes_first_until_the_limit_holds(store: CheckpointStore) -> None:
    old, older = save(store, "old", used_s_ago=10), save(store, "older", used_s_ago=20)
    new = save(store, "new", used_s_ago=0)

    assert store.find_prunable(10 * SIZE_BYTES) == ()
    assert store.find_prunable(2 * SIZE_BYTES + SIZE_BYTES // 2) == (older,)
    assert store.find_prunable(0) == (older, old, new)
    for path in (older, old, new):
        store.discard(path)
    assert list(store.root.iterdir()) == []


def test_those_of_living_labs_stay_and_others_go_in_their_place(store: CheckpointStore) -> None:
    for number, machine in enumerate("abcab"):
        save(store, f"{number}{machine}", used_s_ago=100 - number, machine=machine)

    def go(limit: float, *machines: str) -> list[str]:
        return [path.name for path in store.find_prunable(int(limit * SIZE_BYTES), machines)]

    assert go(3.5) == ["0a", "1b"]
    assert go(3.5, "a") == ["1b", "2c"]
    assert go(0, "a", "b") == ["2c"]
    assert go(0, "a", "b", "c") == []


def test_one_that_was_used_just_now_is_the_last_to_go(store: CheckpointStore) -> None:
    save(store, "a", used_s_ago=20)
    save(store, "b", used_s_ago=10)
    assert store.find("a") is not None

    assert [path.name for path in store.find_prunable(SIZE_BYTES + SIZE_BYTES // 2)] == ["b"]


def test_damaged_and_unfinished_ones_go_whatever_the_limit(store: CheckpointStore) -> None:
    checkpoint = store.find(save(store, "a", used_s_ago=0).name)
    assert checkpoint is not None
    store.quarantine(checkpoint)
    (store.root / "b-1.part").mkdir()
    os.utime(store.root / "b-1.part", (0, 0))
    (store.root / "c-1.part").mkdir()  # its builder may be at work

    prunable = store.find_prunable(1 << 40)
    assert {path.name for path in prunable} == {"a.bad", "b-1.part"}
    for path in prunable:
        store.discard(path)
    assert [path.name for path in store.root.iterdir()] == ["c-1.part"]


def test_quarantine_of_one_that_is_gone_is_well(store: CheckpointStore) -> None:
    save(store, "a", used_s_ago=0)
    checkpoint = store.find("a")
    assert checkpoint is not None
    store.discard(checkpoint.directory)

    store.quarantine(checkpoint)
