"""Xen from the command line: its suite takes precedence, and its toolstack goes with it."""

from __future__ import annotations

import pytest

from xenlab.errors import InputError
from xenlab.life.order import UpOrder
from xenlab.topology.loading import load_topology, parse_topology
from xenlab.topology.model import Topology, XenSpec
from xenlab.topology.xen_word import choose_xen

PINNED = 'xen: {suite: bookworm, version: "4.17", command_line: loglvl=all}\ndomus: {alice: }\n'


@pytest.fixture
def pinned() -> Topology:
    return parse_topology(PINNED.encode(), file="lab.yaml", name="lab")


def test_suite_of_the_command_line_stands_over_that_of_the_file() -> None:
    assert UpOrder(topology="pair", xen="trixie").plan().xen.suite == "trixie"
    assert UpOrder(topology="pair").plan().xen.suite == "bookworm"


def test_word_that_says_what_the_file_says_changes_nothing(pinned: Topology) -> None:
    assert choose_xen(pinned, "bookworm") == choose_xen(pinned, None) == pinned
    named = UpOrder(topology="pair", xen="bookworm").plan()
    assert named == UpOrder(topology="pair").plan()


def test_version_of_another_suite_is_left_behind_and_the_command_line_is_not(
    pinned: Topology,
) -> None:
    assert choose_xen(pinned, "trixie").xen == XenSpec(suite="trixie", command_line="loglvl=all")


@pytest.mark.parametrize("word", ["", "4.20", "--yes", "a b", "../trixie"])
def test_word_that_is_no_suite_is_refused(word: str) -> None:
    with pytest.raises(InputError, match=r"--xen: .* is not a Debian suite"):
        choose_xen(load_topology("pair"), word)
