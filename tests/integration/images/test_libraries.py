"""An image holds the libraries that its programs need, and no others: with real ELF files."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from xenlab.errors import LabError
from xenlab.images.libraries import keep_needed_libraries, read_needs
from xenlab.images.tree import File, FileTree, Link

LIBRARIES = "usr/lib/x86_64-linux-gnu"
LOADER = "usr/lib64/ld-linux-x86-64.so.2"


def compile_with(folder: Path, output: str, source: str, *words: str) -> File:
    """A small ELF without libc, so that its needs are only those named here."""
    (folder / "source.c").write_text(source)
    argv = ["gcc", "-nostdlib", "-o", output, "source.c", "-L.", *words]
    subprocess.run(argv, cwd=folder, check=True)
    return File(content=(folder / output).read_bytes(), executable=True)


@pytest.fixture
def tree(tmp_path: Path) -> FileTree:
    """A program that needs liba, which needs libb; libc-less, with a library that nobody needs."""
    tree = FileTree()
    libb = compile_with(tmp_path, "libb.so", "int b(void){return 1;}", "-shared")
    liba = compile_with(
        tmp_path, "liba.so", "int b(void); int a(void){return b();}", "-shared", "-lb"
    )
    program = compile_with(
        tmp_path,
        "program",
        "int a(void); int _start(void){return a();}",
        "-la",
        "-Wl,-rpath-link,.",
    )
    tree.add("lib64", Link(target="usr/lib64"))
    tree.add(LOADER, File(content=b"a loader"))
    tree.add("usr/bin/program", program)
    tree.add(f"{LIBRARIES}/liba.so.1.2", liba)
    tree.add(f"{LIBRARIES}/liba.so", Link(target="liba.so.1.2"))
    tree.add("usr/lib/libb.so", libb)
    tree.add(f"{LIBRARIES}/libunused.so.1", libb)
    return tree


def test_needed_libraries_stay_and_the_unused_goes(tree: FileTree) -> None:
    keep_needed_libraries(tree, ())

    assert [path for path, _file in tree.files()] == [
        "usr/bin/program",
        "usr/lib/libb.so",
        f"{LIBRARIES}/liba.so.1.2",
        LOADER,
    ]


def test_library_opened_by_name_stays(tree: FileTree) -> None:
    keep_needed_libraries(tree, ("libunused.so.1",))

    assert f"{LIBRARIES}/libunused.so.1" in tree.nodes


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        (f"{LIBRARIES}/liba.so.1.2", "/usr/bin/program needs liba.so"),
        ("usr/lib/libb.so", f"/{LIBRARIES}/liba.so.1.2 needs libb.so"),
        (LOADER, "/usr/bin/program needs /lib64/ld-linux-x86-64.so.2"),
    ],
)
def test_missing_library_fails_the_build_naming_who_needs_it(
    tree: FileTree, gone: str, said: str
) -> None:
    tree.remove(gone)

    with pytest.raises(LabError, match=said):
        keep_needed_libraries(tree, ())


def test_library_that_the_manifest_names_and_nobody_has_fails_the_build(tree: FileTree) -> None:
    with pytest.raises(LabError, match=r"libnone\.so\.1, named by the manifest"):
        keep_needed_libraries(tree, ("libnone.so.1",))


def test_library_is_found_beside_the_program_by_its_runpath(tree: FileTree, tmp_path: Path) -> None:
    words = ("-la", "-Wl,-rpath-link,.", "-Wl,-rpath,$ORIGIN/../lib/own", "-Wl,--enable-new-dtags")
    source = "int a(void); int _start(void){return a();}"
    tree.add("usr/bin/program", compile_with(tmp_path, "program", source, *words))
    liba = tree.nodes[f"{LIBRARIES}/liba.so.1.2"]
    tree.remove(f"{LIBRARIES}/liba.so.1.2")
    tree.add("usr/lib/own/liba.so", liba)

    keep_needed_libraries(tree, ())

    assert "usr/lib/own/liba.so" in tree.nodes


def test_static_program_needs_nothing(tmp_path: Path) -> None:
    program = compile_with(tmp_path, "program", "int _start(void){return 0;}", "-static")

    needs = read_needs(program.content)

    assert (needs.libraries, needs.folders, needs.loader) == ((), (), "")
