"""One process at a time has a lab, and whoever comes second is told who does."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from xenlab.errors import Unavailable
from xenlab.registry.lock import SWEEPING, hold_lab


def test_second_holder_is_refused_and_told_who_the_first_is(state: Path) -> None:
    with (
        hold_lab("pair", busy_with="xenlab up"),
        pytest.raises(Unavailable, match=f"lab pair is in use: pid {os.getpid()}, xenlab up"),
        hold_lab("pair", busy_with="xenlab down"),
    ):
        pass


def test_other_labs_are_free(state: Path) -> None:
    with hold_lab("one", busy_with="a test"), hold_lab("two", busy_with="a test"):
        assert sorted(path.name for path in (state / "labs").iterdir()) == ["one.lock", "two.lock"]


def test_sweeper_is_waited_for(state: Path) -> None:
    entered, leave = threading.Event(), threading.Event()

    def sweep() -> None:
        with hold_lab("pair", busy_with=SWEEPING):
            entered.set()
            leave.wait(10)

    sweeper = threading.Thread(target=sweep)
    sweeper.start()
    entered.wait(10)
    threading.Timer(0.1, leave.set).start()
    with hold_lab("pair", busy_with="xenlab up"):
        assert leave.is_set()
    sweeper.join()


def test_lock_file_goes_with_the_lab_and_stays_with_one_that_is_there(state: Path) -> None:
    with hold_lab("gone", busy_with="a test"), hold_lab("there", busy_with="a test"):
        (state / "labs" / "there").mkdir()

    assert sorted(path.name for path in (state / "labs").iterdir()) == ["there", "there.lock"]


def test_many_who_want_it_never_have_it_together(state: Path) -> None:
    holders: list[int] = []
    most: list[int] = []

    def want(number: int) -> None:
        for _ in range(50):
            try:
                with hold_lab("pair", busy_with="a test"):
                    holders.append(number)
                    most.append(len(holders))
                    holders.remove(number)
            except Unavailable:
                continue

    threads = [threading.Thread(target=want, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert max(most) == 1
