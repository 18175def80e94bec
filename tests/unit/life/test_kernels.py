"""Who is to run which kernel, from the words of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.kernel.test_commit_range import commit, git, snapshot
from tests.unit.kernel.test_patch_series import GOOD, write
from xenlab.errors import InputError
from xenlab.life.kernels import choose_kernels, digest_kernels, find_untested
from xenlab.life.order import UpOrder
from xenlab.plan.model import LabPlan
from xenlab.topology.loading import load_topology
from xenlab.waiting import Deadline


def plan(*domu: str, dom0: str | None = None) -> LabPlan:
    return UpOrder(topology="pair", dom0_kernel=dom0, domu_kernel=domu).plan()


def kernels(*domu: str, dom0: str | None = None) -> dict[str, str]:
    planned = plan(*domu, dom0=dom0)
    return {"dom0": planned.dom0.kernel, **{one.name: one.kernel for one in planned.domus}}


def digest(*domu: str) -> str:
    return digest_kernels(plan(*domu), Deadline.after(10.0))


def test_each_node_chooses_for_itself() -> None:
    assert kernels("sid", "bob=bookworm", dom0="trixie") == {
        "dom0": "trixie", "alice": "sid", "bob": "bookworm",
    }  # fmt: skip
    assert kernels("alice=sid") == {"dom0": "debian", "alice": "sid", "bob": "debian"}


def test_kernel_of_a_word_is_in_the_plan_under_its_own_name() -> None:
    planned = plan("alice=sid+debug")

    origin = planned.kernel(planned.domu("alice").kernel).origin
    assert (origin.source, origin.configs) == ("linux-source", ("debug",))
    assert {kernel.name for kernel in planned.kernels} > {"debian"}


def test_domu_that_is_not_there_is_named_with_the_one_that_was_meant() -> None:
    with pytest.raises(InputError, match="--domu-kernel: no domU `alise`; did you mean `alice`"):
        choose_kernels(load_topology("pair"), None, ("alise=sid",))


def test_packages_have_no_files_of_the_users() -> None:
    assert digest("sid") == ""


def test_digest_is_that_of_what_is_in_the_files(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD, "x.patch")
    before = digest(f"alice=sid+{path}")
    same = digest(f"alice=sid+{path}")

    write(tmp_path, GOOD.replace("one more", "another"), "x.patch")

    assert before == same != ""
    assert digest(f"alice=sid+{path}") != before


@pytest.mark.parametrize(
    "word", ["sid+/nowhere.patch", "/nowhere/linux@v1", "/no/image:/no/modules"]
)
def test_file_that_is_not_there_ends_it_before_anything_is_begun(word: str) -> None:
    with pytest.raises(InputError, match=r"[nN]o such"):
        digest(word)


def test_changes_that_are_in_no_commit_are_named_as_not_tested(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "mine")
    for number in range(8):
        commit(tmp_path, f"{number}.c", "x\n", "one")
    (tmp_path / "unknown.c").write_text("x\n")

    def untested(word: str) -> tuple[str, ...]:
        return find_untested(plan(f"alice={word}").kernels, Deadline.after(20.0))

    assert untested(str(tmp_path)) == ()
    for number in range(7):
        (tmp_path / f"{number}.c").write_text("y\n")
    before = snapshot(tmp_path)
    (told,) = untested(str(tmp_path))
    assert f"{tmp_path}: what is not committed is not tested: `0.c`, `1.c`" in told
    assert "`4.c` and 2 more; `git commit` it, or name the commit" in told
    assert untested(f"{tmp_path}@mine") == ()
    assert untested("sid") == ()
    assert snapshot(tmp_path) == before
