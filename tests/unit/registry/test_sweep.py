"""Sweeping, with real processes: what has no living owner goes, everything else stays."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.registry.conftest import WriteLab
from xenlab.registry.errand import open_errand, sweep_errands
from xenlab.registry.identity import ProcessIdentity
from xenlab.registry.lock import hold_lab
from xenlab.registry.places import runtime_root
from xenlab.registry.record import LabRecord, list_lab_names
from xenlab.registry.sweep import MARKER, find_marked_processes, render_marker, sweep_dead_labs
from xenlab.waiting import Deadline, wait_until

StartMarked = Callable[[str], subprocess.Popen[bytes]]


@pytest.fixture
def start_marked(state: Path) -> Iterator[StartMarked]:
    """Starts a process of a lab: it carries the marker, as all in a sandbox do."""
    with ExitStack() as stack:

        def start(lab_id: str) -> subprocess.Popen[bytes]:
            env = {**os.environ, MARKER: render_marker(lab_id)}
            child = stack.enter_context(subprocess.Popen(["sleep", "60"], env=env))
            stack.callback(child.kill)
            # Between fork and exec the child still has our own environment.
            wait_until(lambda: lab_id in find_marked_processes(), "it to run", Deadline.after(10))
            return child

        yield start


def ends(child: subprocess.Popen[bytes]) -> bool:
    try:
        child.wait(0.3)
    except subprocess.TimeoutExpired:
        return False
    return True


def make_run(record: LabRecord) -> Path:
    record.places.run.mkdir(parents=True)
    return record.places.run


def test_lab_of_a_dead_owner_goes_with_its_processes_and_directories(
    write_lab: WriteLab, start_marked: StartMarked
) -> None:
    record = write_lab("pair", alive=False)
    run, child = make_run(record), start_marked(record.lab_id)

    assert sweep_dead_labs() == ("pair",)

    assert ends(child)
    assert not run.exists()
    assert list_lab_names() == ()


def test_living_lab_stays_whole(write_lab: WriteLab, start_marked: StartMarked) -> None:
    record = write_lab("pair")
    run, child = make_run(record), start_marked(record.lab_id)

    assert sweep_dead_labs() == ()

    assert not ends(child)
    assert run.exists()
    assert list_lab_names() == ("pair",)


def test_orphan_without_a_record_is_ended(write_lab: WriteLab, start_marked: StartMarked) -> None:
    write_lab("pair")
    child = start_marked("0" * 32)
    orphaned = runtime_root() / "00000000"
    orphaned.mkdir(parents=True)

    sweep_dead_labs()

    assert ends(child)
    assert not orphaned.exists()


def test_reused_pid_in_a_dead_record_is_not_killed(write_lab: WriteLab) -> None:
    """F21: the record names a sandbox whose number now belongs to somebody else."""
    with subprocess.Popen(["sleep", "60"]) as stranger:
        alive = ProcessIdentity.of(stranger.pid)
        record = write_lab("pair", alive=False)
        replace(record, sandbox=replace(alive, start_ticks=alive.start_ticks - 1)).write()

        assert sweep_dead_labs() == ("pair",)

        assert not ends(stranger)
        stranger.kill()


def test_labs_of_another_state_directory_are_not_ours(
    write_lab: WriteLab, start_marked: StartMarked, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    child = start_marked("1" * 32)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "elsewhere"))

    sweep_dead_labs()

    assert not ends(child)


def test_lab_that_somebody_holds_is_left_alone(write_lab: WriteLab) -> None:
    write_lab("pair", alive=False)
    with hold_lab("pair", busy_with="xenlab down"):
        assert sweep_dead_labs() == ()
    assert sweep_dead_labs() == ("pair",)


def test_directory_with_a_damaged_record_goes(write_lab: WriteLab, state: Path) -> None:
    write_lab("pair")
    (state / "labs/pair/record.json").write_text("{")

    assert sweep_dead_labs() == ("pair",)
    assert not (state / "labs/pair").exists()


def test_errand_is_left_alone_while_we_live(state: Path, start_marked: StartMarked) -> None:
    with open_errand("trial") as (errand_id, places):
        child = start_marked(errand_id)
        places.run.mkdir(parents=True)
        sweep_dead_labs()
        assert places.state.is_dir()
        assert places.run.is_dir()
        assert not ends(child)
        assert sweep_errands() == {errand_id}

    assert not places.state.exists()
    assert not places.run.exists()
    sweep_dead_labs()
    assert ends(child)


def test_errand_of_a_dead_process_goes(state: Path, start_marked: StartMarked) -> None:
    own = ProcessIdentity.own()
    errand_id = "2" * 32
    left = state / "errands" / f"{errand_id}-{own.pid}-{own.start_ticks - 1}"
    left.mkdir(parents=True)
    child = start_marked(errand_id)

    sweep_dead_labs()

    assert not left.exists()
    assert ends(child)
