"""A series is read with all that is wrong in it, and a patch that does not fit says where (F28)."""

from __future__ import annotations

from pathlib import Path

import pytest

from xenlab.errors import InputError
from xenlab.kernel.patch import Hunk, read_patches
from xenlab.kernel.patch_series import PatchSeries, find_nearest
from xenlab.waiting import Deadline

NAME = "drivers/net/xen-netfront.c"
OLD = [f"line {number}" for number in range(1, 21)]
GOOD = f"""\
From: Somebody <somebody@host.invalid>
Subject: [PATCH] a change

--- a/ at the start of a line of the mail is no file.
---
diff --git a/{NAME} b/{NAME}
index 1111111..2222222 100644
--- a/{NAME}
+++ b/{NAME}
@@ -4,3 +4,4 @@ some function
 line 4
-line 5
+line 5, changed
+one more
 line 6
@@ -12,3 +13,2 @@
 line 12
-line 13
 line 14
--\x20
2.39.5
"""


def write(folder: Path, text: str | bytes, name: str = "0001-a-change.patch") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def make_tree(folder: Path, lines: list[str] = OLD) -> Path:
    tree = folder / "tree"
    (tree / NAME).parent.mkdir(parents=True)
    (tree / NAME).write_text("\n".join(lines) + "\n")
    return tree


def read_tree(tree: Path) -> dict[str, bytes]:
    return {str(path.relative_to(tree)): path.read_bytes() for path in tree.rglob("*.*")}


def apply(path: Path, tree: Path) -> None:
    PatchSeries.read(path).apply(tree, Deadline.after(20.0))


def refuse(path: Path, tree: Path) -> str:
    """The reason for which a series is refused, its tree as it was before."""
    before = read_tree(tree)
    with pytest.raises(InputError) as raised:
        apply(path, tree)
    assert read_tree(tree) == before
    assert raised.value.exit_code == 2
    return str(raised.value)


def test_mail_is_read_as_files_and_hunks(tmp_path: Path) -> None:
    (patch,) = read_patches(write(tmp_path, GOOD))

    assert patch.files == (NAME,)
    assert [(hunk.number, hunk.start, hunk.patch_line) for hunk in patch.hunks] == [
        (1, 4, 10), (2, 12, 16)
    ]  # fmt: skip
    assert patch.hunks[0].old == ("line 4", "line 5", "line 6")


def test_patch_that_fits_is_applied(tmp_path: Path) -> None:
    tree = make_tree(tmp_path)

    apply(write(tmp_path, GOOD), tree)

    lines = (tree / NAME).read_text().splitlines()
    assert lines[3:7] == ["line 4", "line 5, changed", "one more", "line 6"]
    assert "line 13" not in lines


def test_patches_of_a_folder_are_applied_in_order_of_their_names(tmp_path: Path) -> None:
    folder = tmp_path / "series-x"
    folder.mkdir()
    write(folder, GOOD.replace("line 5, changed", "changed again").replace("-line 5\n", "-x\n")
          .replace("+one more\n", "").replace(",4 @@", ",3 @@").partition("@@ -12")[0],
          "0002-again.patch")  # fmt: skip
    write(folder, GOOD.replace("line 5, changed", "x"), "0001-first.patch")
    tree = make_tree(tmp_path)

    with pytest.raises(InputError, match="0002-again"):
        apply(folder, tree)  # one more stands between x and line 6

    assert PatchSeries.read(folder).name == "series-x"
    names = [patch.path.name for patch in PatchSeries.read(folder).patches]
    assert names == ["0001-first.patch", "0002-again.patch"]


def test_quilt_series_names_its_patches_and_their_order(tmp_path: Path) -> None:
    write(tmp_path, GOOD, "b.patch")
    write(tmp_path, GOOD, "a.patch")
    write(tmp_path, GOOD, "left-out.patch")
    write(tmp_path, "# comment\nb.patch -p1\n\na.patch # second\n", "series")

    series = PatchSeries.read(tmp_path)

    assert [patch.path.name for patch in series.patches] == ["b.patch", "a.patch"]


def test_quilt_series_that_leads_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "../other.patch\n/etc/passwd\n", "series")

    with pytest.raises(InputError, match="leads out of the folder") as raised:
        PatchSeries.read(tmp_path)

    assert len(raised.value.problems) == 2


@pytest.mark.parametrize("option", ["-p0", "-R"])
def test_quilt_option_that_is_not_ours_is_refused_with_its_line(
    tmp_path: Path, option: str
) -> None:
    write(tmp_path, GOOD, "a.patch")
    write(tmp_path, f"# comment\na.patch {option}\n", "series")

    with pytest.raises(InputError, match=f"series:2: '{option}'"):
        PatchSeries.read(tmp_path)


def test_words_beside_the_code_are_left_out(tmp_path: Path) -> None:
    tree = make_tree(tmp_path)
    papers = "--- a/Documentation/x.rst\n+++ b/Documentation/x.rst\n@@ -1 +1 @@\n-a\n+b\n"

    apply(write(tmp_path, papers + GOOD.partition("---\n")[2]), tree)

    assert "one more" in (tree / NAME).read_text()
    failing = write(tmp_path, papers + GOOD.replace(" line 14\n", " line 15\n"), "f.patch")
    assert f"hunk 2 of {NAME}" in refuse(failing, tree_again(tmp_path))


def tree_again(folder: Path) -> Path:
    (folder / "again").mkdir()
    return make_tree(folder / "again")


def test_hunk_that_does_not_fit_is_shown_with_what_stands_there(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD.replace(" line 14\n", " line 14 of another kernel\n"))

    told = refuse(path, make_tree(tmp_path))

    assert told.splitlines() == [
        f"{path}:16: hunk 2 of {NAME} does not apply; 2 of its 3 lines are at line 12",
        "  line 14 is:  line 14",
        "  and wanted: line 14 of another kernel",
    ]


def test_hunk_of_which_nothing_is_there_says_so(tmp_path: Path) -> None:
    tree = make_tree(tmp_path, ["something else"])

    assert "hunk 1 of drivers/net/xen-netfront.c" in refuse(write(tmp_path, GOOD), tree)
    assert "nothing in the file is like it" in refuse(write(tmp_path, GOOD), tree)


def test_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD.replace(NAME, "drivers/net/xen-netfrond.c"))

    assert "there is no such file" in refuse(path, make_tree(tmp_path))


REMOVED, MOVED = "drivers/net/gone.c", "drivers/net/here.c"
REMOVAL = f"""\
diff --git a/{REMOVED} b/{REMOVED}
deleted file mode 100644
--- a/{REMOVED}
+++ /dev/null
@@ -1 +0,0 @@
-gone
"""
MOVE = f"""\
diff --git a/{MOVED} b/drivers/net/there.c
similarity index 50%
rename from {MOVED}
rename to drivers/net/there.c
--- a/{MOVED}
+++ b/drivers/net/there.c
@@ -1,2 +1,2 @@
 stays
-goes
+comes
"""
CREATION = """\
diff --git a/drivers/net/new.c b/drivers/net/new.c
new file mode 100644
--- /dev/null
+++ b/drivers/net/new.c
@@ -0,0 +1 @@
+new
"""


def test_hunk_that_fails_is_told_from_those_of_files_that_go_move_or_come(tmp_path: Path) -> None:
    tree = make_tree(tmp_path)
    (tree / REMOVED).write_text("gone\n")
    (tree / MOVED).write_text("stays\ngoes\n")
    good, bad = GOOD.partition("---\n")[2], " line 14 of another kernel\n"
    others = CREATION + MOVE + REMOVAL
    path = write(tmp_path, good.replace(" line 14\n", bad) + others)
    reverse = write(tmp_path, others + good.replace(" line 14\n", bad), "0002.patch")

    for each in (path, reverse):
        assert f": hunk 2 of {NAME} does not apply; 2 of its 3 lines" in refuse(each, tree)
    apply(write(tmp_path, others + good, "0003.patch"), tree)
    assert (tree / "drivers/net/there.c").read_text() == "stays\ncomes\n"


def test_patch_that_is_applied_already_says_so(tmp_path: Path) -> None:
    tree = make_tree(tmp_path)
    path = write(tmp_path, GOOD)
    apply(path, tree)

    assert "applied already" in refuse(path, tree)


def test_lines_that_end_in_cr_lf_are_named_with_the_remedy(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD.replace("\n", "\r\n"))

    told = refuse(path, make_tree(tmp_path))

    assert "CR LF" in told
    assert "sed -i" in told


@pytest.mark.parametrize(
    "name", ["../outside.c", "/etc/passwd", "drivers/../../outside.c", "drivers/net/../../../x"]
)
def test_path_that_leads_out_of_the_tree_is_refused(tmp_path: Path, name: str) -> None:
    text = GOOD.replace(f"b/{NAME}", name if name.startswith("/") else f"b/{name}")

    assert "leads out of the source tree" in refuse(write(tmp_path, text), make_tree(tmp_path))
    assert not (tmp_path / "outside.c").exists()


def test_rename_out_of_the_tree_is_refused(tmp_path: Path) -> None:
    text = GOOD.replace("index 1111111", "rename from x.c\nrename to ../y.c\nindex 1111111")

    assert "'../y.c' leads out" in refuse(write(tmp_path, text), make_tree(tmp_path))


@pytest.mark.parametrize("content", [b"", b"no patch at all\n", b"Subject: words only\n\nbody\n"])
def test_file_without_a_patch_is_refused(tmp_path: Path, content: bytes) -> None:
    assert "no patch in it" in refuse(write(tmp_path, content), make_tree(tmp_path))


@pytest.mark.parametrize(
    "line", ["GIT binary patch", "Binary files a/x and b/x differ", "new file mode 120000"]
)
def test_binaries_and_links_are_refused(tmp_path: Path, line: str) -> None:
    text = GOOD.replace("index 1111111", f"{line}\nindex 1111111")

    assert "driver has no" in refuse(write(tmp_path, text), make_tree(tmp_path))


def test_folder_without_patches_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no \*\.patch in it"):
        PatchSeries.read(tmp_path)


LETTER = """\
From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001
From: Somebody <somebody@host.invalid>
Subject: [PATCH 0/1] *** SUBJECT HERE ***

 drivers/net/xen-netfront.c | 5 +++--
 1 file changed, 3 insertions(+), 2 deletions(-)

--\x20
2.39.5
"""


def test_cover_letter_of_a_folder_is_no_patch(tmp_path: Path) -> None:
    letter = write(tmp_path, LETTER, "0000-cover-letter.patch")
    with pytest.raises(InputError, match="no patch in it"):
        PatchSeries.read(tmp_path)

    write(tmp_path, GOOD)

    assert [patch.path.name for patch in PatchSeries.read(tmp_path).patches] == [
        "0001-a-change.patch"
    ]
    with pytest.raises(InputError, match="no patch in it"):
        PatchSeries.read(letter)


@pytest.mark.parametrize("text", ["", "no mail\n", LETTER, LETTER + "+++ b/x.c\n"])
def test_file_that_was_to_be_a_patch_is_no_cover_letter(tmp_path: Path, text: str) -> None:
    write(tmp_path, GOOD)
    write(tmp_path, text, "0002-bad.patch")

    with pytest.raises(InputError, match=r"0002-bad\.patch: no patch in it"):
        PatchSeries.read(tmp_path)


def test_everything_wrong_in_a_series_is_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, b"", "0001.patch")
    write(tmp_path, GOOD.replace("\n", "\r\n"), "0002.patch")

    with pytest.raises(InputError) as raised:
        PatchSeries.read(tmp_path)

    assert len(raised.value.problems) == 2


def test_of_equally_like_places_the_nearer_one_is_shown() -> None:
    hunk = Hunk(file=NAME, number=1, patch_line=1, start=10, old=("a", "b"))

    assert find_nearest(hunk, ["a", "x", "", "", "", "", "", "", "a", "x"]) == (8, 1)
