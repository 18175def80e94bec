"""Run directories: the last one takes those above it along, and nobody is hurt by that."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.unit.registry.conftest import WriteLab
from xenlab.registry.places import runtime_root
from xenlab.registry.run_directory import make_run_directory, remove_run_directory
from xenlab.registry.sweep import sweep_dead_labs

ROUNDS = 40


def test_last_lab_leaves_no_directory_above_its_own(write_lab: WriteLab) -> None:
    first, second = write_lab("first"), write_lab("second", alive=False)
    for record in (first, second):
        make_run_directory(record.places.run)

    assert sweep_dead_labs() == ("second",)
    assert list(runtime_root().iterdir()) == [first.places.run]

    remove_run_directory(first.places.run)
    assert not runtime_root().exists()


def test_directories_are_no_business_of_others(tmp_path: Path) -> None:
    run = tmp_path / "xenlab-0" / "abcdef" / "01234567"
    make_run_directory(run)

    assert [oct(path.stat().st_mode)[-3:] for path in (run, run.parent)] == ["700", "711"]
    with pytest.raises(FileExistsError):
        make_run_directory(run)


def test_directory_above_that_comes_and_goes_is_made_again(tmp_path: Path) -> None:
    """Four labs come and go at the same time: each is the last one now and then."""

    def come_and_go(number: int) -> int:
        run = tmp_path / "xenlab-0" / "abcdef" / f"0000000{number}"
        barrier.wait()
        for _ in range(ROUNDS):
            make_run_directory(run)
            (run / "socket").touch()
            remove_run_directory(run)
        return ROUNDS

    barrier = threading.Barrier(4)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(come_and_go, range(4))) == [ROUNDS] * 4
    assert list(tmp_path.iterdir()) == []
