"""The words of `xenlab try`: patches are told from suites, and everything wrong is said at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.kernel.test_commit_range import commit, git
from tests.unit.kernel.test_patch_series import GOOD, NAME, write
from xenlab.cli.attempt import advising
from xenlab.cli.attempt_order import AttemptOrder, AttemptWords
from xenlab.cli.main import run
from xenlab.cli.patch_words import (
    DEFAULT_SUITES,
    PatchWords,
    choose_test,
    count_others,
    read_driver_commits,
)
from xenlab.cli.suite_order import shipped_suites
from xenlab.errors import InputError
from xenlab.kernel.shelf import list_series
from xenlab.life.order import UpOrder
from xenlab.traffic.ladder import Extent

BISECT = ("--bisect", "a..b", "--tree", ".", "--test", "smoke")


def test_words_may_stand_in_any_order() -> None:
    sorted_words = PatchWords.sort(["my.patch", "smoke", "series/", "test_own.py", "t.py::test_x"])

    assert sorted_words.patches == ("my.patch", "series/")
    assert sorted_words.suites == ("smoke", "test_own.py", "t.py::test_x")


def test_patches_become_one_series_in_their_order(tmp_path: Path) -> None:
    one, two = write(tmp_path, GOOD, "b.patch"), write(tmp_path, GOOD, "a.diff")
    series = PatchWords.sort([str(one), str(two), "netfront-slots-limit"]).read_series(None)

    assert series.name == "b+a+netfront-slots-limit"
    assert [patch.path.name for patch in series.patches[:2]] == ["b.patch", "a.diff"]


def test_everything_wrong_about_patches_is_told_at_once(tmp_path: Path) -> None:
    empty = write(tmp_path, "", "empty.patch")

    with pytest.raises(InputError) as raised:
        PatchWords.sort([str(empty), "netfront-slot-limit", "v6.1..mine"]).read_series(None)

    assert len(raised.value.problems) == 3
    assert "did you mean `netfront-slots-limit`" in raised.value.problems[1]
    assert raised.value.problems[2] == "`v6.1..mine`: a range of commits needs its tree"
    assert raised.value.try_next == "xenlab try --help"


def test_range_without_its_tree_is_told_how_to_name_it() -> None:
    with pytest.raises(InputError, match="needs its tree") as raised:
        PatchWords.sort(["v6.1..mine"]).read_series(None)

    assert raised.value.try_next == "xenlab try v6.1..mine --tree DIR"


@pytest.mark.parametrize(
    ("word", "listed"),
    [("zzz", True), ("zzz.patch", False), ("patches/zzz", False)],
)
def test_unknown_word_gets_the_names_there_are_unless_it_is_a_files(
    word: str, listed: bool
) -> None:
    with pytest.raises(InputError, match=f"no patch file, folder, series or suite `{word}") as told:
        PatchWords.sort([word]).read_series(None)

    for name in (*list_series(), *shipped_suites()):
        assert (f"`{name}`" in str(told.value)) == listed


def test_tree_that_no_patch_is_of_is_refused(tmp_path: Path) -> None:
    patch = str(write(tmp_path, GOOD, "b.patch"))
    none = "--tree: none of the patches is a range of commits such as v6.1..mine"
    missing = "--tree `/nosuch`: no such folder"

    for tree, words, problems in (
        (str(tmp_path), [patch], (none,)),
        ("/nosuch", [patch], (missing, none)),
        ("/nosuch", ["v6.1..mine"], (missing,)),
    ):
        with pytest.raises(InputError) as raised:
            PatchWords.sort(words).require_use_of(tree)
        assert raised.value.problems == problems
    PatchWords.sort(["smoke", patch, "v6.1..mine"]).require_use_of(str(tmp_path))


def test_no_patch_at_all_is_refused() -> None:
    with pytest.raises(InputError, match="no patch"):
        PatchWords.sort(["smoke"]).read_series(None)


def test_suites_are_six_and_in_short_one() -> None:
    words = PatchWords.sort(["my.patch"])

    assert words.choose_suites("", quick=False).name == "+".join(DEFAULT_SUITES)
    short = words.choose_suites("", quick=True)
    assert (short.name, short.extent) == ("smoke", Extent.QUICK)
    assert PatchWords.sort(["x", "gso"]).choose_suites("", quick=True).name == "gso"


def test_test_of_a_suite_is_chosen_by_its_name() -> None:
    chosen = choose_test("smoke::test_no_kernel", "dom0", quick=True)

    assert chosen.paths[0].name == "smoke"
    assert chosen.pytest_options[-1] == "(dom0) and (test_no_kernel)"
    assert choose_test("slots", "", quick=False).pytest_options[-1] != "-k"
    with pytest.raises(InputError, match="no suite"):
        choose_test("smok", "", quick=False)


def test_bisection_is_over_the_commits_of_the_drivers(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "mine")
    files = (NAME, "net/core/dev.c", "MAINTAINERS", NAME, "drivers/net/xen-netback/rx.c")
    for number, file in enumerate(files):
        commit(tmp_path, file, f"{number}\n", f"change {number}")

    series = read_driver_commits("mine~4..mine", str(tmp_path))

    assert [patch.subject for patch in series.patches] == ["change 3", "change 4"]
    assert count_others("mine~4..mine", str(tmp_path)) == 1
    assert count_others(None, None) == 0


def test_commit_that_also_changes_other_files_is_taken_with_its_part_in_the_drivers(
    tmp_path: Path,
) -> None:
    git(tmp_path, "init", "-q", "-b", "mine")
    commit(tmp_path, "README", "x\n", "start")
    (tmp_path / NAME).parent.mkdir(parents=True)
    (tmp_path / NAME).write_text("x\n")
    git(tmp_path, "add", NAME)
    commit(tmp_path, "net/core/dev.c", "x\n", "both")

    series = read_driver_commits("mine~1..mine", str(tmp_path))

    assert [patch.files for patch in series.patches] == [(NAME,)]
    assert count_others("mine~1..mine", str(tmp_path)) == 1


@pytest.mark.parametrize(("kernel", "told"), [(None, True), ("sid", False)])
def test_range_that_does_not_apply_is_told_with_the_kernel_that_it_lies_on(
    tmp_path: Path, kernel: str | None, told: bool
) -> None:
    git(tmp_path, "init", "-q", "-b", "mine")
    commit(tmp_path, "README", "x\n", "start")
    git(tmp_path, "tag", "start")
    commit(tmp_path, NAME, "x\n", "one")
    order = AttemptOrder(
        series=read_driver_commits("start..mine", str(tmp_path)),
        suites=choose_test("smoke", "", quick=True),
        up=UpOrder(topology="pair", dom0_kernel=kernel),
        bisect=True,
    )

    with pytest.raises(InputError, match="does not apply") as raised, advising(order.advice):
        raise InputError("x.patch:1: hunk 1 does not apply")

    kernels = f"--dom0-kernel {tmp_path}@start --domu-kernel {tmp_path}@start"
    assert raised.value.try_next == (kernels if told else "")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--bisect", "a..b"], "--tree DIR and --test ID"),
        (["--bisect", "a..b", "--tree", "."], "--bisect needs --test ID beside it"),
        ([*BISECT, "x.patch"], "no other words: `x.patch`"),
        ([*BISECT, "--cover"], "--bisect and --cover exclude each other"),
        ([*BISECT, "--per-patch"], "--bisect and --per-patch exclude each other"),
        (["x.patch", "--test", "smoke"], "name suites after the patches"),
        ([], "no patch"),
        (["none.patch"], "no patch file"),
        (["none.patch", "--tree", "."], "none of the patches is a range"),
    ],
)
def test_wrong_words_end_before_anything_is_done(
    capsys: pytest.CaptureFixture[str], words: list[str], reason: str
) -> None:
    assert run(["try", *words]) == 2
    assert reason in capsys.readouterr().err


def test_tree_of_the_environment_is_for_whatever_patches_are_of_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XENLAB_TRY_TREE", ".")

    assert run(["try", "none.patch"]) == 2
    said = capsys.readouterr().err
    assert "no patch file" in said
    assert "--tree" not in said


def test_everything_that_does_not_go_with_a_bisection_is_told_at_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["try", "--bisect", "a..b", "--cover", "x.patch"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 3


@pytest.mark.parametrize(("name", "tried"), [(NAME, {"netfront"}), ("net/core/dev.c", set())])
def test_suites_are_told_which_driver_has_patches_on_it_as_a_module(
    tmp_path: Path, name: str, tried: set[str]
) -> None:
    patch = write(tmp_path, GOOD.replace(NAME, name))
    given = dict.fromkeys(AttemptWords.__annotations__, None)
    given |= {"keyword": "", "topology": "", "netfront": (), "domu_kernel": (), "connect_uri": ""}

    order = AttemptOrder.parse((str(patch), "strategies"), **given)  # type: ignore[arg-type]

    assert order.suites.tried == tried
