"""The lab that `xenlab test --lab` names: a name that is a mistake gets no lab of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.cli.test_completion import write_lab
from xenlab.cli.named_lab import find_named_lab
from xenlab.errors import InputError
from xenlab.life.order import UpOrder
from xenlab.registry.record import LabRecord, read_record


def find(name: str, *, topology_chosen: bool = False) -> LabRecord | None:
    return find_named_lab(UpOrder(topology="pair", lab=name), topology_chosen=topology_chosen)


def test_lab_that_is_up_is_found_by_its_name(home: Path) -> None:
    write_lab("mine")
    record = read_record("mine")
    assert record is not None
    record = replace(record, plan_json=UpOrder(topology="pair").plan().to_json())
    record.write()

    assert find("mine") == record
    assert find("") is None
    with pytest.raises(InputError, match="--topology is for a lab that is not"):
        find("mine", topology_chosen=True)


def test_name_of_no_lab_is_refused_while_another_is_up(home: Path) -> None:
    write_lab("mine")

    with pytest.raises(InputError) as raised:
        find("mien")

    assert str(raised.value) == (
        "there is no lab `mien`; did you mean `mine`? (there are `mine`;"
        " to test in a new one of that name, add --topology T)"
    )
    assert raised.value.try_next == "xenlab status"


def test_new_lab_has_a_name_where_a_topology_says_that_it_is_meant(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lab("mine")

    assert find("mien", topology_chosen=True) is None
    assert capsys.readouterr().err == ""


def test_new_lab_has_a_name_where_no_lab_could_be_meant_and_that_is_told(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lab("test-123", transient=True)  # that of another `xenlab test`

    assert find("mine") is None
    assert capsys.readouterr().err == "no lab `mine` is up: the tests run in a new one\n"
