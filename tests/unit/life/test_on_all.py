"""What is done on several nodes at once is done at once, and no failure is lost."""

from __future__ import annotations

import threading

import pytest

from xenlab.errors import GuestLost, LabError
from xenlab.life.connect import on_all


def test_nodes_are_served_at_the_same_time() -> None:
    """None of them passes the barrier before all have come to it."""
    barrier = threading.Barrier(3, timeout=10)
    on_all(lambda _node: barrier.wait(), ["dom0", "alice", "bob"])


def test_no_nodes_are_no_work() -> None:
    on_all(lambda _node: pytest.fail("nobody is there"), [])


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


def test_all_others_are_served_where_one_fails() -> None:
    served: list[str] = []

    def act(node: str) -> None:
        if node == "alice":
            raise LabError("alice is gone")
        served.append(node)

    with pytest.raises(LabError):
        on_all(act, ["alice", "bob", "carol"])
    assert sorted(served) == ["bob", "carol"]
