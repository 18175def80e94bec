"""What one version lacks is a matter of its cell; what the host lacks ends the sweep."""

from __future__ import annotations

import os

from tests.unit.cli.conftest import Run
from xenlab.registry.lock import hold_lab

ONE_CELL = ("sweep", "--kernels", "sid", "--xens", "bookworm", "--suite", "smoke")


def test_what_the_host_lacks_ends_a_sweep(xenlab: Run) -> None:
    with hold_lab(f"sweep-{os.getpid()}-1", busy_with="something else"):
        said = xenlab(*ONE_CELL)

    assert said.code == 4
    assert "is in use" in said.err
    assert "cannot" not in said.out


def test_version_that_cannot_be_had_is_a_cell(xenlab: Run) -> None:
    said = xenlab(*ONE_CELL, "--offline")

    assert said.code == 7
    assert "cannot" in said.out
    assert "needs the network" in said.out
