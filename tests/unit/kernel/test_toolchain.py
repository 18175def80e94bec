"""Which compiler a kernel asks for, what comes with it, and how its tree is entered.

The names are those that apt resolved for the headers of Linux 6.1.192 (bookworm), 6.12.118 (trixie)
and 7.2.13 (sid).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import CompareGolden
from xenlab.debian.package import DebPackage
from xenlab.kernel.packages import CompilerPackages, read_compiler
from xenlab.kernel.toolchain import NEEDLESS, render_argv

BOOKWORM = ("gcc-12", "gcc-12-base", "libelf1", "linux-compiler-gcc-12-x86", "linux-kbuild-6.1")
TRIXIE = ("cpp-14", "gcc-14", "gcc-14-base", "gcc-14-x86-64-linux-gnu", "libelf1t64", "pahole")
SID = ("gcc-16-base", "gcc-16-for-host", "gcc-16-x86-64-linux-gnu", "libelf1t64", "libgcc-16-dev")

WANTED = (
    "binutils", "binutils-x86-64-linux-gnu", "coreutils", "cpp-16-x86-64-linux-gnu", "dash",
    "gcc-16-x86-64-linux-gnu", "libbinutils", "libc6", "libelf1t64", "libgcc-s1", "libgmp10",
    "libisl23", "libmpc3", "libmpfr6", "libssl3t64", "libstdc++6", "libzstd1", "make", "mawk",
)  # fmt: skip
LEFT_OUT = (
    "binutils-common", "debianutils", "gcc-16-base", "libasan8", "libatomic1", "libcc1-0",
    "libc-gconv-modules-extra", "libgcc-16-dev", "libgomp1", "libgprofng0", "libhwasan0", "libitm1",
    "liblsan0", "libquadmath0", "libtsan2", "libubsan1", "openssl-provider-legacy",
)  # fmt: skip


def packages(names: tuple[str, ...]) -> list[DebPackage]:
    return [
        DebPackage(name=name, version="1", architecture="amd64", size_bytes=1, sha256="0" * 64)
        for name in names
    ]


@pytest.mark.parametrize(
    ("names", "gcc", "libelf", "major"),
    [
        (BOOKWORM, "gcc-12", "libelf1", 12),
        (TRIXIE, "gcc-14-x86-64-linux-gnu", "libelf1t64", 14),
        (SID, "gcc-16-x86-64-linux-gnu", "libelf1t64", 16),
    ],
)
def test_headers_name_the_compiler_that_made_the_kernel(
    names: tuple[str, ...], gcc: str, libelf: str, major: int
) -> None:
    found = read_compiler(packages(names))

    assert found == CompilerPackages(gcc=gcc, libraries=(libelf,))
    assert found.major == major
    assert found.program == f"x86_64-linux-gnu-gcc-{major}"


def test_kernel_of_another_compiler_names_none() -> None:
    assert read_compiler(packages(("clang-19", "libelf1t64", "gcc-14-base"))) is None


@pytest.mark.parametrize("name", WANTED)
def test_what_a_build_runs_is_fetched(name: str) -> None:
    assert not NEEDLESS.fullmatch(name)


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_only_linked_programs_or_readers_need_is_not(name: str) -> None:
    assert NEEDLESS.fullmatch(name)


def test_only_the_folder_that_is_built_can_be_written_to(golden: CompareGolden) -> None:
    argv = render_argv(Path("/cache/toolchain-x"), Path("/cache/headers-x"), Path("/cache/part/m"))

    golden("toolchain.argv", "\n".join(argv) + "\n")
    assert argv.count("--bind") == 1
    assert argv[argv.index("--bind") + 1] == "/cache/part/m"
