"""The tree of an image: merged /usr, links followed as a kernel would, nothing outside the root."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xenlab.errors import LabError
from xenlab.images.tree import File, FileTree, Folder, Link, matches, merged_path

EXE = File(content=b"x", executable=True)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("./bin/ip", "usr/bin/ip"),
        ("./lib/x86_64-linux-gnu/libc.so.6", "usr/lib/x86_64-linux-gnu/libc.so.6"),
        ("./lib64/ld-linux-x86-64.so.2", "usr/lib64/ld-linux-x86-64.so.2"),
        ("./usr/sbin/xl", "usr/sbin/xl"),
        ("/sbin/tc", "usr/sbin/tc"),
        ("./lib", "lib"),
        ("./", "."),
        ("./library/x", "library/x"),
        ("./usr/bin/../lib/x", "usr/lib/x"),
    ],
)
def test_path_is_that_of_a_merged_usr(name: str, path: str) -> None:
    assert merged_path(name) == path


@pytest.mark.parametrize("name", ["../etc/passwd", "./a/../../b", "usr/../../.."])
def test_path_that_leads_out_of_the_root_is_refused(name: str) -> None:
    with pytest.raises(LabError, match="outside of its root"):
        merged_path(name)


@given(st.lists(st.sampled_from(["..", ".", "a", "bin", "usr", ""]), max_size=8).map("/".join))
def test_no_name_leads_out_of_the_root(name: str) -> None:
    try:
        path = merged_path(name)
    except LabError:
        return
    assert not path.startswith(("/", ".."))
    assert "/../" not in path


def test_file_brings_the_folders_above_it() -> None:
    tree = FileTree()
    tree.add("usr/lib/xen-4.17/bin/xl", EXE)

    assert tree.nodes["usr/lib/xen-4.17"] == Folder()
    assert tree.nodes["usr"] == Folder()


def test_links_are_followed_in_every_component() -> None:
    tree = FileTree()
    tree.add("usr/bin/kmod", EXE)
    tree.add("bin", Link(target="usr/bin"))
    tree.add("usr/sbin/modprobe", Link(target="/bin/kmod"))
    tree.add("usr/sbin/insmod", Link(target="../bin/kmod"))

    assert tree.resolve("usr/sbin/modprobe") == "usr/bin/kmod"
    assert tree.resolve("usr/sbin/insmod") == "usr/bin/kmod"
    assert tree.resolve("/bin/kmod") == "usr/bin/kmod"
    assert tree.resolve("nowhere/at/all") == "nowhere/at/all"


def test_circle_of_links_is_refused() -> None:
    tree = FileTree()
    tree.add("a", Link(target="b"))
    tree.add("b", Link(target="a"))

    with pytest.raises(LabError, match="circles"):
        tree.resolve("a")


def test_dangling_links_go_and_those_that_boot_fills_stay() -> None:
    tree = FileTree()
    tree.add("usr/bin/a", Link(target="b"))
    tree.add("usr/bin/b", Link(target="gone"))
    tree.add("usr/bin/c", EXE)
    tree.add("usr/bin/d", Link(target="c"))
    tree.add("etc/mtab", Link(target="/proc/mounts"))

    tree.drop_dangling_links(except_into=("proc/",))

    assert [path for path, _link in tree.links()] == ["etc/mtab", "usr/bin/d"]


def test_absolute_links_lead_within_the_folder_that_a_tree_is_written_to(tmp_path: Path) -> None:
    tree = FileTree()
    tree.add("usr/lib/libm.so.6", EXE)
    tree.add("usr/lib/libm.so", Link(target="/usr/lib/libm.so.6"))

    tree.write_below(tmp_path)

    assert (tmp_path / "usr/lib/libm.so").resolve() == tmp_path / "usr/lib/libm.so.6"
    assert (tmp_path / "usr/lib/libm.so.6").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    ("path", "glob"),
    [
        ("usr/lib/xen-4.17/bin/xl", "usr/lib/xen-*/bin/*"),
        ("usr/sbin/tc", "usr/*bin/tc"),
        ("etc/iproute2/rt_tables.d/README", "*/iproute2/*"),
    ],
)
def test_star_crosses_slashes(path: str, glob: str) -> None:
    assert matches(path, (glob,))
    assert not matches(path, ("usr/share/doc/*",))
