"""The mutants that come with xenlab: whole, each on one driver, different from all others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.house.repository import ROOT
from xenlab.errors import InputError
from xenlab.kernel.driver import DriverKind
from xenlab.kernel.mutant import Mutant, choose_mutants, read_mutants
from xenlab.kernel.patch import read_patches
from xenlab.kernel.shelf import shelf

ALL = read_mutants()
BUGS = [mutant for mutant in ALL if not mutant.harmless]
LEAST, LEAST_OWN, LEAST_HARMLESS = 30, 15, 8
HEADER = "Subject: [PATCH] x\nBreaks: b\nShows: s\nOrigin: own: o\n"
DIFF = """\
---
diff --git a/drivers/net/xen-netfront.c b/drivers/net/xen-netfront.c
--- a/drivers/net/xen-netfront.c
+++ b/drivers/net/xen-netfront.c
@@ -1,1 +1,1 @@
-a
+b
"""


def test_there_are_enough_of_every_kind() -> None:
    assert len(BUGS) >= LEAST
    assert sum(mutant.origin.startswith("own: ") for mutant in BUGS) >= LEAST_OWN
    assert len(ALL) - len(BUGS) >= LEAST_HARMLESS
    for sign in ("-tx-", "-rx-"):
        assert {mutant.kind for mutant in BUGS if sign in mutant.name} == set(DriverKind)


@pytest.mark.parametrize("mutant", ALL, ids=lambda mutant: mutant.name)
def test_patch_is_on_its_driver_alone_and_its_suites_exist(mutant: Mutant) -> None:
    known = {path.parent.name for path in (ROOT / "xenlab/tests").glob("*/__init__.py")}

    assert mutant.choice.kind is mutant.kind
    assert set(mutant.suites) <= known
    (patch,) = read_patches(mutant.path)
    assert len(patch.hunks) >= 1


def test_no_two_are_the_same_change() -> None:
    changes = [mutant.path.read_text(encoding="utf-8").partition("\n---\n")[2] for mutant in ALL]

    assert len(set(changes)) == len(ALL)


def test_chosen_by_name_by_file_and_all_without_a_word(tmp_path: Path) -> None:
    own = tmp_path / "netfront-own.patch"
    own.write_text(HEADER + DIFF)
    harmless = [mutant.name for mutant in ALL if mutant.harmless]

    assert choose_mutants(()) == ALL
    chosen = choose_mutants((BUGS[3].name, str(own), f"harmless/{harmless[0]}"))
    assert [mutant.name for mutant in chosen] == [BUGS[3].name, "netfront-own", harmless[0]]
    assert [mutant.name for mutant in choose_mutants(("harmless",))] == harmless


@pytest.mark.parametrize("word", ["netfront-tx-limit", "no/such.patch"])
def test_word_that_is_no_mutant_is_refused(word: str) -> None:
    there = f"there are {len(BUGS)}, and {len(ALL) - len(BUGS)} harmless ones, in "
    with pytest.raises(InputError, match=f"no mutant and no file .*{there}{shelf() / 'mutants'}"):
        choose_mutants((word,))


@pytest.mark.parametrize(
    ("name", "header", "reason"),
    [
        ("netfront-x", HEADER.replace("Shows: s\n", ""), "the header has no `Shows`"),
        ("harmless/netfront-x", HEADER, "the header has no `Same`"),
        ("x", HEADER, "the name does not begin with `netfront`"),
    ],
)
def test_header_that_does_not_say_what_it_has_to_is_refused(
    tmp_path: Path, name: str, header: str, reason: str
) -> None:
    path = tmp_path / f"{name}.patch"
    path.parent.mkdir(exist_ok=True)
    path.write_text(header + DIFF)

    with pytest.raises(InputError, match=reason) as told:
        Mutant.read(path)
    _, has_example, example = str(told.value).partition("; one that has all: ")
    assert bool(has_example) == reason.startswith("the header")
    if has_example:
        assert Mutant.read(Path(example)).harmless == (path.parent.name == "harmless")


def test_words_of_another_coding_are_for_those_who_apply_the_patch(tmp_path: Path) -> None:
    path = tmp_path / "netfront-x.patch"
    path.write_bytes(f"{HEADER}{DIFF}".encode() + "+/* grün */\n".encode("latin-1"))

    assert Mutant.read(path).breaks
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="the header has no"):
        Mutant.read(path)


def test_mutant_on_anything_but_its_driver_is_refused_without_options_that_others_have(
    tmp_path: Path,
) -> None:
    path = tmp_path / "netback-x.patch"
    path.write_text(HEADER + DIFF)

    with pytest.raises(InputError, match="changes nothing of xen_netback") as told:
        _ = Mutant.read(path).choice
    assert told.value.try_next == ""


def test_shelf_has_nothing_that_is_not_read() -> None:
    assert len(list((shelf() / "mutants").rglob("*.patch"))) == len(ALL)
