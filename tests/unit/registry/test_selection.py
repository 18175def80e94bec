"""Which lab is meant, where there are none, one, several, or dead ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.registry.conftest import WriteLab
from xenlab.errors import GuestLost, InputError, LabError
from xenlab.registry.selection import choose_lab, require_up, split_node


def test_without_a_lab_the_command_that_makes_one_is_named(state: Path) -> None:
    with pytest.raises(InputError, match="no lab is up") as caught:
        choose_lab(None)

    assert caught.value.try_next == "xenlab up"


def test_only_lab_needs_no_name(write_lab: WriteLab) -> None:
    write_lab("pair")

    assert choose_lab(None).name == "pair"


def test_dead_lab_beside_a_living_one_is_not_meant(write_lab: WriteLab) -> None:
    write_lab("dead", alive=False)
    write_lab("pair")

    assert choose_lab(None).name == "pair"


def test_several_labs_are_listed(write_lab: WriteLab) -> None:
    write_lab("one")
    write_lab("two")

    with pytest.raises(InputError, match="several labs \\(`one`, `two`\\): say which with --lab"):
        choose_lab(None)
    assert choose_lab("two").name == "two"


def test_wrong_name_gets_the_one_that_was_meant(write_lab: WriteLab) -> None:
    write_lab("pair")

    with pytest.raises(InputError, match="there is no lab `piar`; did you mean `pair`"):
        choose_lab("piar")


def test_dead_lab_cannot_be_used_and_says_how_to_clear_it(write_lab: WriteLab) -> None:
    with pytest.raises(GuestLost, match="has died") as caught:
        require_up(write_lab("pair", alive=False))

    assert caught.value.try_next == "xenlab down pair"


def test_lab_that_is_coming_up_cannot_be_used_yet(write_lab: WriteLab) -> None:
    with pytest.raises(LabError, match="still being brought up"):
        require_up(write_lab("pair", starting=True))


def test_node_may_name_its_lab() -> None:
    assert split_node("pair/alice", None) == ("alice", "pair")
    assert split_node("pair/alice", "pair") == ("alice", "pair")
    assert split_node("alice", "pair") == ("alice", "pair")
    with pytest.raises(InputError):
        split_node("pair/alice", "quad")
