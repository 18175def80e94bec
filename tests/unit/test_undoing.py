"""Undoing: the first error is the one told, and what cannot be undone is never silent."""

from __future__ import annotations

import pytest

from xenlab.errors import DriverFailed, LabError
from xenlab.undoing import undone


def fail() -> None:
    raise LabError("it stays")


def test_what_is_well_is_undone() -> None:
    done: list[int] = []
    with undone(lambda: done.append(1)):
        assert not done
    assert done == [1]


def test_what_cannot_be_undone_is_raised() -> None:
    with pytest.raises(LabError, match="it stays"), undone(fail):
        pass


def test_first_error_is_raised_with_what_could_not_be_undone_as_its_note() -> None:
    with pytest.raises(DriverFailed, match="it hangs") as raised, undone(fail):
        raise DriverFailed("it hangs", phase="")
    assert raised.value.__notes__ == ["it stays"]
