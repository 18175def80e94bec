"""A mapping of values under way: who asks waits for that one alone, and meets its error."""

from __future__ import annotations

from threading import Event

import pytest

from xenlab.errors import InputError
from xenlab.life.later import Later, begin

LIMIT_S = 20.0


def test_first_value_is_there_while_the_second_is_made() -> None:
    gate = Event()

    def make(key: str) -> str:
        if key == "slow":
            assert gate.wait(LIMIT_S)
        return key.upper()

    values = begin(make, ("quick", "slow"))

    assert values["quick"] == "QUICK"
    assert len(values) == 2
    assert list(values) == ["quick", "slow"]
    gate.set()
    assert dict(values) == {"quick": "QUICK", "slow": "SLOW"}


def test_error_of_a_value_is_that_of_who_asks_for_it() -> None:
    def make(key: str) -> str:
        if key == "bad":
            raise InputError("it does not compile")
        return key

    values = begin(make, ("bad", "good"))

    assert values["good"] == "good"
    with pytest.raises(InputError, match="does not compile"):
        values["bad"]
    with pytest.raises(InputError):
        dict(values)


def test_key_that_is_not_there_is_not_made() -> None:
    with pytest.raises(KeyError):
        Later(str.upper, ("a",))["b"]
