"""Checkpoints are there whole or not at all, and damage of any kind is seen before use (F18)."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from xenlab.checkpoint.key import Level
from xenlab.checkpoint.store import Checkpoint, CheckpointFacts, CheckpointStore
from xenlab.errors import ChecksumMismatch

KEY = "k" * 64
MEMORY = bytes(range(256)) * 64
FACTS = CheckpointFacts(
    level=Level.CONNECTED, topology="pair", machine_uuid="u", machine_name="xenlab-pair",
    domids=(("alice", 1), ("bob", 2)), created_unix_s=1.5,
)  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> CheckpointStore:
    return CheckpointStore(root=tmp_path / "checkpoints")


def save(store: CheckpointStore, memory: bytes = MEMORY) -> None:
    with store.new(KEY) as part:
        (part / "memory").write_bytes(memory)
        (part / "keys").mkdir()
        (part / "keys/host_key").write_bytes(b"key")
        store.publish(part, KEY, FACTS)


@pytest.fixture
def saved(store: CheckpointStore) -> Checkpoint:
    save(store)
    found = store.find(KEY)
    assert found is not None
    return found


def test_what_was_saved_is_found_and_whole(saved: Checkpoint) -> None:
    saved.verify()
    assert saved.key == KEY
    assert saved.memory.read_bytes() == MEMORY
    assert saved.facts.domids == FACTS.domids
    assert {name for name, _digest in saved.facts.files} == {"memory", "keys/host_key"}
    assert saved.size_bytes >= len(MEMORY)


def test_unknown_key_is_not_found(store: CheckpointStore, saved: Checkpoint) -> None:
    assert store.find("x" * 64) is None


def test_save_that_fails_leaves_nothing(store: CheckpointStore) -> None:
    def fail() -> None:
        with store.new(KEY) as part:
            (part / "memory").write_bytes(MEMORY)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(store.root.iterdir()) == []
    assert store.find(KEY) is None


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def replace_by_link(path: Path) -> None:
    shutil.copy(path, path.with_suffix(".copy"))
    path.unlink()
    path.symlink_to(path.with_suffix(".copy"))


def replace_by_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "a bit flipped": flip_a_bit,
    "truncated": lambda path: os.truncate(path, 100 if path.name == "memory" else 1),
    "emptied": lambda path: os.truncate(path, 0),
    "removed": Path.unlink,
    "a symlink": replace_by_link,
    "a FIFO": replace_by_fifo,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("name", ["memory", "keys/host_key"])
def test_damaged_file_is_named(
    damage: Callable[[Path], None], name: str, saved: Checkpoint
) -> None:
    damage(saved.directory / name)
    with pytest.raises(ChecksumMismatch, match=f"{name} is not what was saved"):
        saved.verify()


@pytest.mark.parametrize(
    "damage",
    [
        flip_a_bit,
        lambda path: os.truncate(path, 20),
        lambda path: path.write_text("7"),
        lambda path: path.write_bytes(b"\xff"),
        lambda path: path.write_text(path.read_text().replace('"alice"', '"alicf"')),
        lambda path: path.write_text(json.dumps({**json.loads(path.read_text()), "files": []})),
        Path.unlink,
    ],
)
def test_checkpoint_with_damaged_facts_is_none_and_goes_at_the_next_pruning(
    damage: Callable[[Path], None], store: CheckpointStore, saved: Checkpoint
) -> None:
    damage(saved.directory / "facts.json")
    assert store.find(KEY) is None
    assert store.list() == ()
    assert store.find_prunable(1 << 40) == (saved.directory,)
    store.discard(saved.directory)
    assert not saved.directory.exists()


def test_damaged_checkpoint_is_replaced_by_the_next_save(
    store: CheckpointStore, saved: Checkpoint
) -> None:
    (saved.directory / "facts.json").unlink()
    save(store, b"fresh")
    found = store.find(KEY)
    assert found is not None
    found.verify()
    assert found.memory.read_bytes() == b"fresh"
    assert {path.name for path in store.root.iterdir()} == {KEY, f"{KEY}.bad"}


def test_quarantined_checkpoint_is_not_found_and_makes_room_for_the_next(
    store: CheckpointStore, saved: Checkpoint
) -> None:
    store.quarantine(saved)
    assert store.find(KEY) is None
    assert [path.name for path in store.root.iterdir()] == [f"{KEY}.bad"]
    save(store)
    assert store.find(KEY) is not None


def test_whole_checkpoint_stays_where_a_second_one_is_saved_under_its_key(
    store: CheckpointStore, saved: Checkpoint
) -> None:
    """Somebody may be restoring from it at this very moment."""
    with saved.memory.open("rb") as restoring:
        save(store, b"second")
        assert restoring.read() == MEMORY
    assert saved.memory.read_bytes() == MEMORY
    assert [path.name for path in store.root.iterdir()] == [KEY]


def test_many_who_save_the_same_at_once_leave_one_whole_checkpoint(store: CheckpointStore) -> None:
    barrier = threading.Barrier(8)
    failures: list[BaseException] = []

    def race(number: int) -> None:
        barrier.wait()
        try:
            for _ in range(10):
                save(store, bytes([number]) * 10_000)
        except BaseException as error:  # noqa: BLE001 (told below)
            failures.append(error)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert [path.name for path in store.root.iterdir()] == [KEY]
    found = store.find(KEY)
    assert found is not None
    found.verify()


def test_two_saves_of_one_key_work_in_directories_of_their_own(store: CheckpointStore) -> None:
    with store.new(KEY) as one, store.new(KEY) as two:
        assert one != two
        assert one.is_dir()
        assert two.is_dir()
