"""`xenlab gc` holds checkpoints to their limit, but for those of labs that live."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run
from xenlab.checkpoint.key import Level
from xenlab.checkpoint.store import CheckpointFacts, CheckpointStore
from xenlab.registry.identity import ProcessIdentity
from xenlab.registry.record import LabRecord, LabState

SIZE_BYTES = 1 << 20


def save(home: Path, key: str, machine: str) -> None:
    """A checkpoint of a megabyte."""
    store = CheckpointStore(root=home / "cache" / "xenlab" / "checkpoints")
    with store.new(key) as part:
        (part / "memory").write_bytes(os.urandom(SIZE_BYTES))
        facts = CheckpointFacts(
            level=Level.BARE, topology="pair", machine_uuid=machine, machine_name="",
            domids=(), created_unix_s=0.0,
        )  # fmt: skip
        store.publish(part, key, facts)


def write_lab(name: str, machine: str, *, alive: bool) -> None:
    """A lab that this test brings up, or whose owner died over it."""
    own = ProcessIdentity.own()
    record = LabRecord(
        name=name, lab_id=f"{name:x<8}", state=LabState.STARTING, transient=False,
        creator=own if alive else replace(own, start_ticks=own.start_ticks - 1),
        created_unix_s=time.time(), topology="pair", plan_json="{}", accel="tcg",
        accel_reason="a test", machine_uuid=machine,
    )  # fmt: skip
    record.places.state.mkdir(parents=True)
    record.write()


def removed(xenlab: Run, *words: str) -> set[str]:
    """What of checkpoints and labs went."""
    document = json.loads(xenlab("gc", "--json", *words).out)
    return {one["name"] for one in document["removed"]}


def test_checkpoints_of_living_labs_stay(xenlab: Run, home: Path) -> None:
    for key, machine in (("a-bare", "a"), ("a-connected", "a"), ("b", "b"), ("c", "c")):
        save(home, key, machine)
    write_lab("alive", "a", alive=True)
    write_lab("dead", "b", alive=False)

    assert removed(xenlab, "--dry-run", "--limit", "0") == {"dead", "b", "c"}
    assert removed(xenlab, "--limit", "0") == {"dead", "b", "c"}
    assert removed(xenlab, "--limit", "0") == set()


@pytest.mark.parametrize("source", ["environment", "file"])
def test_limit_is_one_setting_for_every_command(
    xenlab: Run, home: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    save(home, "a", "a")
    if source == "file":
        (home / "project" / "xenlab.toml").write_text('checkpoint-limit = "0.5M"\n')
    else:
        monkeypatch.setenv("XENLAB_CHECKPOINT_LIMIT", "0.5M")

    assert xenlab("up", "--dry-run").code == 0
    assert removed(xenlab, "--limit", "2M") == set()
    assert removed(xenlab) == {"a"}
