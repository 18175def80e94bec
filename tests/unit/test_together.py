"""What is done on several nodes at once is done at once, and no failure is lost."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from xenlab.errors import (
    CommandFailed,
    ConnectionLost,
    DriverFailed,
    GuestLost,
    KernelFault,
    LabError,
    MeasurementError,
    WaitTimedOut,
)
from xenlab.together import all_open, on_all
from xenlab.undoing import undone


def test_nodes_are_served_at_the_same_time() -> None:
    """None of them passes the barrier before all have come to it."""
    barrier = threading.Barrier(3, timeout=10)
    on_all(lambda _node: barrier.wait(), ["dom0", "alice", "bob"])


def test_no_nodes_are_no_work() -> None:
    assert on_all(lambda _node: pytest.fail("nobody is there"), []) == {}


def test_results_are_in_the_order_of_the_nodes() -> None:
    """The first is done last."""
    others = threading.Event()

    def act(node: str) -> str:
        if node == "dom0":
            assert others.wait(timeout=10)
        others.set()
        return node.upper()

    assert list(on_all(act, ["dom0", "bob"]).items()) == [("dom0", "DOM0"), ("bob", "BOB")]
    assert on_all(act, ["bob"]) == {"bob": "BOB"}


def test_single_failure_is_raised_as_it_is() -> None:
    def act(node: str) -> None:
        if node == "bob":
            raise GuestLost("bob is gone")

    with pytest.raises(GuestLost, match="bob is gone"):
        on_all(act, ["alice", "bob"])


def test_every_failure_is_told() -> None:
    def act(node: str) -> None:
        raise LabError(f"{node} is gone")

    with pytest.raises(LabError, match="alice is gone; bob is gone"):
        on_all(act, ["alice", "bob"])


FAILURES = {
    "bug": TypeError("a bug of ours"),
    "crash": KernelFault("dom0", "BUG at x", ("text",)),
    "stuck": DriverFailed("never answered", phase=""),
    "lost": ConnectionLost("alice does not answer"),
    "broken": CommandFailed("bob refuses it"),
    "untold": MeasurementError("alice does not count it"),
}


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        (["untold", "broken", "lost", "stuck", "crash", "bug"], "bug"),
        (["untold", "broken", "lost", "stuck", "crash"], "crash"),
        (["untold", "broken", "lost", "stuck"], "stuck"),
        (["untold", "lost"], "lost"),
        (["untold", "broken"], "broken"),
    ],
)
def test_failure_that_says_most_is_raised_as_it_is(nodes: list[str], said: str) -> None:
    def act(node: str) -> None:
        raise FAILURES[node]

    with pytest.raises(type(FAILURES[said])) as told:
        on_all(act, nodes)
    assert told.value is FAILURES[said]


def test_several_errors_of_the_lab_are_one_of_a_silence_that_a_hang_may_be_behind() -> None:
    failures = {
        "alice": CommandFailed("alice refuses it", try_next="xenlab logs alice"),
        "bob": WaitTimedOut("bob says nothing", phase="ping"),
        "carol": WaitTimedOut("carol says nothing"),
    }

    def act(node: str) -> None:
        raise failures[node]

    with pytest.raises(WaitTimedOut) as told:
        on_all(act, failures)
    assert str(told.value) == "bob says nothing; carol says nothing; alice refuses it"
    assert (told.value.phase, told.value.try_next) == ("ping", "xenlab logs alice")
    assert str(failures["bob"]) == "bob says nothing"


def test_all_others_are_served_where_one_fails() -> None:
    served: list[str] = []

    def act(node: str) -> None:
        if node == "alice":
            raise LabError("alice is gone")
        served.append(node)

    with pytest.raises(LabError):
        on_all(act, ["alice", "bob", "carol"])
    assert sorted(served) == ["bob", "carol"]


class Hall:
    """Doors that say when they were opened and shut."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    @contextmanager
    def door(self, node: str, fault: str = "") -> Iterator[str]:
        if fault == "opening":
            raise LabError(f"{node} does not open")
        self.seen.append(f"open {node}")
        with undone(lambda: self.shut(node, fault)):
            yield node.upper()

    def shut(self, node: str, fault: str) -> None:
        self.seen.append(f"shut {node}")
        if fault == "shutting":
            raise LabError(f"{node} does not shut")


def test_contexts_are_open_together_and_left_together() -> None:
    hall = Hall()
    with all_open({node: hall.door(node) for node in ("dom0", "bob")}) as rooms:
        assert rooms == {"dom0": "DOM0", "bob": "BOB"}
        assert sorted(hall.seen) == ["open bob", "open dom0"]
    assert sorted(hall.seen[2:]) == ["shut bob", "shut dom0"]


def test_what_was_entered_is_left_where_another_context_is_refused() -> None:
    hall = Hall()
    doors = {"dom0": hall.door("dom0"), "bob": hall.door("bob", "opening")}
    with pytest.raises(LabError, match="bob does not open"), all_open(doors):
        pytest.fail("one of them is shut")
    assert hall.seen == ["open dom0", "shut dom0"]


def test_error_inside_is_raised_with_a_note_of_what_could_not_be_left() -> None:
    hall = Hall()
    doors = {"dom0": hall.door("dom0", "shutting"), "bob": hall.door("bob")}
    with pytest.raises(MeasurementError, match="inside") as told, all_open(doors):
        raise MeasurementError("inside")
    assert told.value.__notes__ == ["dom0 does not shut"]
    assert sorted(hall.seen[2:]) == ["shut bob", "shut dom0"]


def test_context_that_cannot_be_left_is_told_where_nothing_else_went_wrong() -> None:
    hall = Hall()
    with (
        pytest.raises(LabError, match="dom0 does not shut"),
        all_open({"dom0": hall.door("dom0", "shutting"), "bob": hall.door("bob")}),
    ):
        pass
    assert sorted(hall.seen[2:]) == ["shut bob", "shut dom0"]


def test_what_is_still_being_entered_at_an_interruption_is_left_all_the_same() -> None:
    entered, interrupted = threading.Event(), threading.Event()
    hall = Hall()

    @contextmanager
    def slow() -> Iterator[str]:
        assert entered.wait(timeout=10)
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupted.wait(timeout=10)
        with hall.door("dom0"):
            yield ""

    @contextmanager
    def left() -> Iterator[str]:
        entered.set()
        try:
            yield ""
        finally:
            interrupted.set()

    with pytest.raises(KeyboardInterrupt), all_open({"bob": left(), "dom0": slow()}):
        pytest.fail("one of them is not entered yet")
    assert hall.seen == ["open dom0", "shut dom0"]
