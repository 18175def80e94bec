"""What is run on a host: claimed once, furnished, and as it was behind `clean`; with real mounts.

In a mount namespace of this host, where programs that have nothing to tell stand for xenstore's.
"""

from __future__ import annotations

import gzip
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from xenlab.hypervisor.existing_host import SCRIPTS, TAKEN
from xenlab.images.archive import render_tar
from xenlab.images.cpio import write_cpio
from xenlab.images.tree import File, FileTree, Folder

XENSTORE = ("xenstore-ls", "xenstore-list", "xenstore-read", "xenstore-rm")
FOLDERS = ("proc", "sys", "dev", "run", "usr/bin", "xenlab/domus")
LIMIT_S = 30.0
IN_A_NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-e", "-c")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in XENSTORE:
        (programs / name).write_text("#!/bin/sh\n:\n")
        (programs / name).chmod(0o755)
    (tmp_path / "root.tgz").write_bytes(render_root(tmp_path))
    return tmp_path / "base"


def render_root(folder: Path) -> bytes:
    tree = FileTree()
    for name in FOLDERS:
        tree.add(name, Folder())
    tree.add("xenlab/note", File(content=b"ours"))
    with (folder / "root.cpio").open("wb") as file:
        write_cpio(tree, file)
    return gzip.compress(render_tar((folder / "root.cpio").read_bytes()))


def run(base: Path, *lines: str) -> Sequence[str]:
    """The output of shell lines, where `$S` has the scripts and `$B` is the lab's folder."""
    text = "\n".join((f"PATH=$PATH:{base.parent}/programs S={SCRIPTS} B={base}", *lines))
    ended = subprocess.run(
        [*IN_A_NAMESPACE, text], capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout.splitlines()


def test_host_is_claimed_once_and_the_second_is_told_by_whom(base: Path) -> None:
    told = run(
        base,
        "sh $S/claim $B one 'lab a of me at home'",
        "status=0; sh $S/claim $B two 'lab b' || status=$?; echo $status",
    )
    assert told == ["lab a of me at home", str(TAKEN)]


def test_root_has_the_hosts_devices_and_clean_leaves_nothing_of_it(base: Path) -> None:
    told = run(
        base,
        "sh $S/claim $B one a",
        f"sh $S/furnish $B < {base.parent}/root.tgz",
        "cat $B/root/xenlab/note; echo",
        "[ -c $B/root/dev/null ]; [ -e $B/root/proc/self/status ]",
        "sh $S/clean $B two; [ -d $B ] # another lab's: left alone",
        "sh $S/clean $B one; [ ! -e $B ]",
        "! grep -q $B /proc/mounts; [ -c /dev/null ]",
        "sh $S/clean $B one # and once more",
        "echo clean",
    )
    assert told == ["ours", "clean"]


def test_lab_that_was_cut_off_while_its_root_came_is_cleaned_too(base: Path) -> None:
    told = run(
        base,
        "sh $S/claim $B one a",
        f"! head -c 200 {base.parent}/root.tgz | sh $S/furnish $B 2> /dev/null",
        "sh $S/clean $B one; [ ! -e $B ]; echo clean",
    )
    assert told == ["clean"]


def test_consoles_are_told_from_where_they_were_left(base: Path) -> None:
    told = run(
        base,
        "mkdir -p $B/root/xenlab/logs; printf hello > $B/root/xenlab/logs/a",
        "printf 'x\\ny\\n' > $B/root/xenlab/logs/b",
        "sh $S/consoles $B a 2 b 0",
    )
    assert told == ["3", "llo4", "x", "y"]
