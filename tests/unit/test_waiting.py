"""Deadlines and waits: nothing outlives its parent, and an error says what was last seen."""

from __future__ import annotations

import threading
import time

import pytest

from xenlab.errors import LabError, WaitTimedOut
from xenlab.waiting import Deadline, ended_at, wait_until


def test_child_never_outlives_its_parent() -> None:
    parent = Deadline.after(1.0)
    assert parent.at_most(60.0) == parent
    assert parent.at_most(0.1).remaining_s <= 0.1


def test_deadline_that_is_past_has_nothing_left() -> None:
    past = Deadline.after(-1.0)
    assert (past.remaining_s, past.expired) == (0.0, True)
    assert not Deadline.after(60.0).expired


def test_answer_is_returned_as_soon_as_there_is_one() -> None:
    answers = iter([None, False, None, "ready"])
    assert wait_until(lambda: next(answers), "an answer", Deadline.after(10)) == "ready"


@pytest.mark.parametrize("answer", [0, "", ()])
def test_empty_answer_is_an_answer(answer: object) -> None:
    assert wait_until(lambda: answer, "an answer", Deadline.after(10)) == answer


def test_wait_ends_at_the_deadline_and_tells_what_it_last_saw() -> None:
    started_s = time.monotonic()
    with pytest.raises(WaitTimedOut, match=r"waited 0\.\d s for rain; last seen: clouds"):
        wait_until(lambda: None, "rain", Deadline.after(0.2), last_seen=lambda: "clouds")
    assert 0.2 <= time.monotonic() - started_s < 1.0


def test_deadline_that_is_past_is_looked_at_once() -> None:
    seen: list[int] = []
    with pytest.raises(WaitTimedOut):
        wait_until(lambda: seen.append(1), "nothing", Deadline.after(-1.0))
    assert seen == [1]


def test_error_of_the_probe_ends_the_wait_at_once() -> None:
    def probe() -> bool:
        raise LabError("broken")

    with pytest.raises(LabError, match=r"^broken$"):
        wait_until(probe, "never", Deadline.after(10))


def test_what_takes_no_limit_is_ended_at_the_deadline() -> None:
    over = threading.Event()
    with ended_at(Deadline.after(0.1), over.set):
        assert over.wait(10)


def test_what_ends_in_time_is_left_alone() -> None:
    over = threading.Event()
    with ended_at(Deadline.after(0.1), over.set):
        pass
    assert not over.wait(0.3)
