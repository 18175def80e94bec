"""A mutant is killed where stock drivers pass what killed it; a harmless rewrite is not blamed."""

from __future__ import annotations

import contextlib
import json
import sys
from functools import partial
from pathlib import Path

from tests.lab.conftest import Xenlab
from xenlab.cli.mutant_lab import open_bare
from xenlab.cli.mutant_trial import MutantTrial
from xenlab.kernel.mutant import choose_mutants
from xenlab.registry.lock import hold_lab
from xenlab.report.progress import open_progress

# Each is found by the first test of its first suite, or by the lab that does not come up. That test
# waits for no time: a control that a busy host keeps from a verdict leaves a mutant undecided.
MUTANT = "netfront-tx-bytes"
UNCONNECTED = "netback-tx-header-twice"
HARMLESS = "harmless/netfront-renamed-local"
NAME = "mutants-harmless"


def test_kills_have_the_stock_drivers_as_their_control(xenlab: Xenlab, tmp_path: Path) -> None:
    document, page = tmp_path / "mutants.json", tmp_path / "mutants.md"

    done = xenlab.run(
        "mutants", MUTANT, UNCONNECTED, "--json", str(document), "--markdown", str(page)
    )
    said = (done.stdout + done.stderr).decode(errors="replace")

    assert done.returncode == 0, said
    smoke, up = json.loads(document.read_text())["mutants"]
    assert (smoke["ending"], smoke["suite"], smoke["outcome"]) == ("killed", "smoke", "FAIL"), said
    assert (up["ending"], up["test"], up["rule"]) == ("killed", "up", "lab comes up"), said
    for tried in (smoke, up):
        assert tried["control"]["passed"], said
        assert tried["control"]["elapsed_s"] > 0
    assert page.read_text().count("| pass |") == 2
    assert "controls on stock drivers: 2, " in said
    assert "mutants-" not in xenlab.succeed("status")


def test_harmless_rewrite_is_blamed_by_no_test_of_a_suite(xenlab: Xenlab) -> None:
    """One suite of them all: the whole run of a rewrite takes ten minutes."""
    (rewrite,) = choose_mutants([HARMLESS])

    with (
        xenlab.home(),
        contextlib.closing(open_progress(sys.stderr)) as progress,
        hold_lab(NAME, busy_with="tests"),
    ):
        opening = partial(open_bare, NAME, progress, rewrite)
        trial = MutantTrial(mutant=rewrite, opening=opening)
        with opening() as lab:
            catch = trial.run_suites(lab, ["smoke"])

    assert catch is None
    assert trial.troubles == []
