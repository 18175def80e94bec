"""A mailbox is cut into its mails, and each patch of it says where in the file it stands."""

from __future__ import annotations

import base64
import quopri
from pathlib import Path

import pytest

from tests.unit.kernel.test_patch_series import GOOD, NAME, OLD, make_tree, refuse, write
from xenlab.errors import InputError
from xenlab.kernel.mailbox import split_mails
from xenlab.kernel.patch import read_patches
from xenlab.kernel.patch_series import PatchSeries
from xenlab.waiting import Deadline

SHA = "0123456789abcdef0123456789abcdef01234567"
FROM = f"From {SHA} Mon Sep 17 00:00:00 2001\n"
COVER = FROM + "Subject: [PATCH 0/2] both\n\nWords. From here on it gets better.\n\n"
FIRST = FROM + GOOD.replace("[PATCH] a change", "[PATCH net v2 1/2] xen-netfront: a\n change")
SECOND = FROM + (
    "Subject: =?utf-8?q?=5BPATCH_2/2=5D_=C3=BCber_alles?=\n\n---\n"
    f"--- a/{NAME}\n+++ b/{NAME}\n@@ -5,3 +5,3 @@\n"
    " line 5, changed\n-one more\n+and more\n line 6\n"
)


def encode(mail: str, encoding: str, body: bytes) -> bytes:
    head = f"{mail.partition(chr(10))[0]}\nSubject: [PATCH] coded\n"
    return f"{head}Content-Transfer-Encoding: {encoding}\n\n".encode() + body


def test_mailbox_of_several_mails_is_a_series_and_its_cover_letter_is_none(tmp_path: Path) -> None:
    tree = make_tree(tmp_path)
    series = PatchSeries.read(write(tmp_path, COVER + FIRST + SECOND, "both.mbox"))

    series.apply(tree, Deadline.after(20.0))

    assert series.name == "both"
    assert [patch.subject for patch in series.patches] == ["xen-netfront: a change", "über alles"]
    assert series.patches[0].title == '0123456789ab ("xen-netfront: a change")'
    assert "and more" in (tree / NAME).read_text()


MOVED = (
    f"diff --git a/{NAME} b/moved.c\nsimilarity index 100%\nrename from {NAME}\nrename to moved.c\n"
)
EMPTY = f"diff --git a/{NAME} b/{NAME}\nnew file mode 100644\nindex 0000000..e69de29\n"


@pytest.mark.parametrize(
    ("change", "files"),
    [
        (MOVED, (NAME, "moved.c")),
        (EMPTY, (NAME,)),
        (f"diff --git a/{NAME} b/{NAME}\nold mode 100644\nnew mode 100755\n", (NAME,)),
    ],
    ids=["moved", "empty", "mode"],
)
def test_mail_that_changes_no_line_is_a_patch_all_the_same(
    tmp_path: Path, change: str, files: tuple[str, ...]
) -> None:
    mail = f"{FROM}Subject: [PATCH 2/2] no line\n\n---\n{change}"

    first, second = read_patches(write(tmp_path, FIRST + mail, "two.mbox"))

    assert second.subject == "no line"
    assert second.files == files
    assert first.files == (NAME,)


def test_moved_file_is_moved(tmp_path: Path) -> None:
    tree = make_tree(tmp_path)

    PatchSeries.read(write(tmp_path, MOVED, "moved.patch")).apply(tree, Deadline.after(20.0))

    assert not (tree / NAME).exists()
    assert (tree / "moved.c").read_text().splitlines() == OLD


@pytest.mark.parametrize("line", ["copy from user", "rename to ../y.c", "GIT binary patch"])
def test_words_of_a_message_that_git_uses_too_are_prose(tmp_path: Path, line: str) -> None:
    mail = FIRST.replace("\n---\n", f"\n{line}\n---\n")

    (patch,) = read_patches(write(tmp_path, mail, "prose.mbox"))

    assert patch.files == (NAME,)


def test_line_of_a_mailbox_is_told_as_the_file_has_it(tmp_path: Path) -> None:
    path = write(tmp_path, COVER + FIRST + SECOND.replace("-one more", "-none more"), "m.mbox")
    number = path.read_text().splitlines().index("@@ -5,3 +5,3 @@") + 1

    told = refuse_second(path, tmp_path)

    assert told.startswith(f"{path}:{number}: hunk 1 of {NAME} does not apply")


def refuse_second(path: Path, tmp_path: Path) -> str:
    with pytest.raises(InputError) as raised:
        PatchSeries.read(path).apply(make_tree(tmp_path), Deadline.after(20.0))
    return str(raised.value)


@pytest.mark.parametrize(
    ("encoding", "encoded"),
    [
        ("base64", base64.encodebytes(GOOD.replace("\n", "\r\n").encode())),
        ("quoted-printable", quopri.encodestring(GOOD.encode())),
    ],
)
def test_encoded_mail_is_decoded(tmp_path: Path, encoding: str, encoded: bytes) -> None:
    tree = make_tree(tmp_path)
    path = write(tmp_path, encode(FIRST, encoding, encoded))

    PatchSeries.read(path).apply(tree, Deadline.after(20.0))

    assert "one more" in (tree / NAME).read_text()
    assert read_patches(path)[0].subject == "coded"
    assert "decoded text" in refuse(path, tree_with(tmp_path, "nothing of it"))


def tree_with(folder: Path, line: str) -> Path:
    (folder / "other").mkdir()
    return make_tree(folder / "other", [line, OLD[3]])


def test_encoded_mail_without_a_patch_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, encode(FIRST, "base64", b"!!! no base64 !!!"))

    with pytest.raises(InputError, match="no patch in it"):
        read_patches(path)


def test_line_that_looks_like_the_start_of_a_mail_inside_a_text_is_none() -> None:
    mails = split_mails(b"diff of mine\n\n" + FIRST.encode())

    assert len(mails) == 1
    assert len(split_mails((COVER + "From me to you\n" + FIRST).encode())) == 2


def test_subject_in_an_unknown_charset_is_taken_as_it_is() -> None:
    (mail,) = split_mails(FROM.encode() + b"Subject: =?none?q?x?=\n\nbody\n")

    assert mail.subject == "=?none?q?x?="
