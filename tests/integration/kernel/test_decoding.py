"""Frames become lines of source, by real objects of the real compiler; never a wrong line."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from xenlab.errors import InputError
from xenlab.kernel.decoding import VMLINUX, _shorten, decode_trace, name_places
from xenlab.waiting import Deadline

SOURCE = """\
static inline __attribute__((always_inline)) void store(int *at)
{
	*(volatile int *)at = 1;
}

__attribute__((noinline)) void deepest(int *at)
{
	store(at);
}

__attribute__((noinline)) int middle(int *at)
{
	deepest(at);
	return *at;
}

int last(int *at)
{
	return middle(at) + 1;
}
"""
FLAGS = ("-g", "-O1", "-fcf-protection=none", "-fno-pie", "-ffile-prefix-map=./=./")


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A relocatable object, as modules are."""
    folder = tmp_path_factory.mktemp("module")
    (folder / "tiny.c").write_text(SOURCE)
    argv = ["gcc", *FLAGS, "-c", "-o", "tiny.ko", "./tiny.c"]
    subprocess.run(argv, cwd=folder, check=True)
    return folder / "tiny.ko"


@pytest.fixture(scope="module")
def kernel(module: Path) -> Path:
    """The same linked to fixed addresses, as kernels are."""
    linked = module.with_name("vmlinux")
    argv = ["gcc", "-nostdlib", "-static", "-no-pie", "-Wl,-e,last", "-o", str(linked)]
    subprocess.run([*argv, str(module)], check=True)
    return linked


def extent(path: Path, function: str) -> int:
    """How far it is to the next symbol, as kallsyms would say."""
    with path.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        starts = {one.name: one["st_value"] for one in table.iter_symbols() if one.name}
    later = [start for start in starts.values() if start > starts[function]]
    return int(min(later)) - int(starts[function])


def trace(path: Path, suffix: str, *, wrong_by: int = 0) -> tuple[str, ...]:
    """An oops in `deepest`, whose caller's call ends at its ninth byte or so."""
    own = {name: extent(path, name) + wrong_by for name in ("deepest", "middle")}
    return (
        "BUG: kernel NULL pointer dereference, address: 0000000000000000",
        f"RIP: e030:deepest+0x0/{own['deepest']:#x}{suffix}",
        f" middle+0x9/{own['middle']:#x}{suffix}",
        " do_init_module+0x4a/0x1f0",
    )


def decode(lines: tuple[str, ...], files: dict[str, Path]) -> tuple[str, ...]:
    return decode_trace(lines, files, Deadline.after(30))


def test_frames_of_a_module_have_their_lines_inlined_calls_first(module: Path) -> None:
    lines = trace(module, " [tiny]")
    assert decode(lines, {"tiny": module}) == (
        *lines[:2],
        "    at tiny.c:3, inlined at tiny.c:8",
        lines[2],
        "    at tiny.c:13",
        lines[3],
    )


def test_frames_of_the_kernel_itself_have_their_lines(kernel: Path) -> None:
    decoded = decode(trace(kernel, ""), {VMLINUX: kernel})
    assert list(name_places(decoded)) == [
        "deepest at tiny.c:3, inlined at tiny.c:8",
        "middle at tiny.c:13",
    ]


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("/cache/x/./xen-netfront.c:7 (discriminator 2)", "xen-netfront.c:7"),
        ("./net/core/skbuff.c:7", "net/core/skbuff.c:7"),
        ("/cache/out-1/../source/net/core/skbuff.c:7", "net/core/skbuff.c:7"),
        ("/cache/out-1/./include/../source/net/x.h:7", "net/x.h:7"),
        ("/src/linux/net/core/skbuff.c:7", "/src/linux/net/core/skbuff.c:7"),
    ],
)
def test_source_is_named_from_its_root(told: str, shown: str) -> None:
    assert _shorten(told) == shown


def test_file_that_no_frame_names_is_not_read(module: Path, tmp_path: Path) -> None:
    lines = trace(module, " [tiny]")[1:3]
    files = {"tiny": module, VMLINUX: tmp_path / "gone", "other": tmp_path / "gone"}
    assert decode(lines, files) == decode(lines, {"tiny": module}) != lines


def test_last_function_of_a_section_may_reach_to_the_end_of_a_page(module: Path) -> None:
    (_line, place) = decode((" last+0x5/0x1000 [tiny]",), {"tiny": module})
    assert place == "    at tiny.c:19"


@pytest.mark.parametrize("wrong_by", [1, -1, 16])
def test_function_of_another_size_is_of_another_build_and_is_not_decoded(
    module: Path, wrong_by: int
) -> None:
    lines = trace(module, " [tiny]", wrong_by=wrong_by)
    assert decode(lines, {"tiny": module}) == lines


def test_module_that_nobody_has_debug_info_of_is_not_decoded(module: Path, kernel: Path) -> None:
    lines = trace(module, " [other]")
    assert decode(lines, {"tiny": module, VMLINUX: kernel}) == lines


def test_stripped_file_decodes_nothing(module: Path, tmp_path: Path) -> None:
    stripped = tmp_path / "stripped.ko"
    subprocess.run(["strip", "--strip-debug", "-o", stripped, module], check=True)
    lines = trace(module, " [tiny]")
    assert decode(lines, {"tiny": stripped}) == lines


def test_file_that_is_no_elf_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.ko").write_text("no")
    with pytest.raises(InputError, match=r"text\.ko: cannot be read for its symbols"):
        decode(("f+0x1/0x2 [text]",), {"text": tmp_path / "text.ko"})
