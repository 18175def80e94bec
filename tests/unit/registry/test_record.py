"""Records: what was written comes back, and what is not a record is never taken for one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.registry.conftest import WriteLab
from xenlab.errors import InputError, LabError
from xenlab.registry.places import LabPlaces
from xenlab.registry.record import list_lab_names, read_record


def test_record_comes_back_as_it_was(write_lab: WriteLab) -> None:
    record = replace(
        write_lab("pair"), domids=(("alice", 1), ("bob", 2)), level="bare",
        build_ids=(("dom0", "00ff"), ("bob", "")),
    )  # fmt: skip
    record.write()
    assert read_record("pair") == record


def test_lab_that_is_not_there_has_no_record(state: Path) -> None:
    assert read_record("pair") is None
    assert list_lab_names() == ()


def test_lock_files_are_no_labs(write_lab: WriteLab, state: Path) -> None:
    write_lab("pair")
    (state / "labs" / "other.lock").touch()
    assert list_lab_names() == ("pair",)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "7", '{"schema_version": 1}', "\x00\x00"],
)
def test_damaged_record_says_which_file_and_what_to_do(
    text: str, write_lab: WriteLab, state: Path
) -> None:
    write_lab("pair")
    (state / "labs/pair/record.json").write_text(text)
    with pytest.raises(LabError, match=r"pair/record\.json: not a lab record") as damaged:
        read_record("pair")
    assert damaged.value.try_next == "xenlab down pair"


@pytest.mark.parametrize("change", [{"schema_version": 99}, {"surprise": 1}, {"state": "asleep"}])
def test_record_of_another_version_is_refused(
    change: dict[str, object], write_lab: WriteLab, state: Path
) -> None:
    write_lab("pair")
    path = state / "labs/pair/record.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(LabError, match="not a lab record"):
        read_record("pair")


def test_owner_that_is_gone_makes_a_lab_dead(write_lab: WriteLab) -> None:
    assert write_lab("living").alive
    assert not write_lab("dead", alive=False).alive
    assert not write_lab("half", alive=False, starting=True).alive


def test_transient_lab_lives_as_long_as_its_creator(write_lab: WriteLab) -> None:
    record = write_lab("pair")
    gone = replace(record.creator, start_ticks=record.creator.start_ticks - 1)
    assert replace(record, creator=gone).alive
    assert not replace(record, creator=gone, transient=True).alive


def test_lab_on_a_host_outlives_every_process_here_but_not_a_run_that_was_killed(
    write_lab: WriteLab,
) -> None:
    on_a_host = replace(write_lab("pair", alive=False), host="root@rack")
    assert on_a_host.alive
    assert not replace(on_a_host, transient=True).alive
    on_a_host.write()
    assert read_record("pair") == on_a_host


@pytest.mark.parametrize(
    "name",
    ["", "-oProxyCommand=x", "$(id)", "../x", "a" * 25, "a\0b", "\u202ea", "a/b", "A", "1a", "a\n"],
)
def test_name_that_could_be_anything_else_is_no_name(name: str, state: Path) -> None:
    with pytest.raises(InputError, match="lab name"):
        LabPlaces.of(name, lab_id="x" * 32)
    with pytest.raises(InputError):
        read_record(name)
