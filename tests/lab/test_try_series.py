"""A series in which one patch is bad: --per-patch blames it, and --bisect finds it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.lab.conftest import Xenlab
from tests.lab.test_try import HARMLESS, NETFRONT, ODD
from tests.unit.kernel.test_commit_range import commit, git
from xenlab.kernel.workshop import open_workshop
from xenlab.plan.planner import plan_lab
from xenlab.registry.places import cache_dir
from xenlab.topology.loading import load_topology
from xenlab.verdict.comparison import EITHER_WAY
from xenlab.waiting import Deadline

BUILD_S = 300.0
# What xennet_start_xmit() begins with, below what each commit adds.
PLACE = "\tif (unlikely(np->broken))\n\t\tgoto drop;\n"
COMMITS = {
    "look at the length": HARMLESS,
    "return early for odd lengths": ODD,
    "say so": "+\t/* odd lengths are gone here */\n",
}
BAD = "return early for odd lengths"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A git tree of Debian's driver, and on it a commit of each subject and one of no driver."""
    plan = plan_lab(load_topology("pair"))
    deadline = Deadline.after(BUILD_S)
    with open_workshop(cache_dir(), report=print, offline=False, deadline=deadline) as workshop:
        source = workshop.provide_source(plan.kernel(plan.dom0.kernel))
    above, place, below = (source.folder / NETFRONT).read_text().partition(PLACE)
    tree = tmp_path / "tree"
    tree.mkdir()
    git(tree, "init", "-q", "-b", "mine")
    commit(tree, NETFRONT, above + place + below, "base")
    git(tree, "tag", "base")
    for subject, added in COMMITS.items():
        above += "".join(line.removeprefix("+") for line in added.splitlines(keepends=True))
        commit(tree, NETFRONT, above + place + below, subject)
    commit(tree, "net/core/dev.c", "\n", "not a driver")
    return tree


def test_bad_commit_of_a_range_is_found(xenlab: Xenlab, tree: Path, tmp_path: Path) -> None:
    document = tmp_path / "found.json"
    words = ("--bisect", "base..mine", "--tree", str(tree), "--test", "smoke", "--quick")
    done = xenlab.run("try", *words, "--json", str(document))
    said = (done.stdout + done.stderr).decode(errors="replace")

    assert done.returncode == 1, said
    assert "3 commits change a driver, and one of them is bad" in said
    told = json.loads(document.read_text())
    assert told["outcome"] == "FAIL"
    assert BAD in done.stdout.decode()
    assert "say so" not in done.stdout.decode()


def test_patch_that_breaks_something_is_blamed_and_no_other_one_is(
    xenlab: Xenlab, tree: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "series"
    git(tree, "format-patch", "-q", "--output-directory", str(folder), "base..mine", "--", NETFRONT)
    done = xenlab.run("try", str(folder), "--per-patch", "--quick")
    said = (done.stdout + done.stderr).decode(errors="replace")

    assert done.returncode == 1, said
    steps = [line.split() for line in done.stdout.decode().splitlines() if "/3 " in line]
    # Of what is broken already nothing can be said, and no patch is blamed for it.
    assert [outcome for outcome, *_title in steps] == ["PASS", "FAIL", "INCONCLUSIVE"]
    assert EITHER_WAY in said
    assert "FAIL: patch 2 (FAIL), 3 (INCONCLUSIVE)" in said
