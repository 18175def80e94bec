"""C programs of ours for the guests: `tools/<name>.c` or the sources in `tools/<name>/`.

They are compiled by the host's gcc, but against headers and libraries of the images' own suite: a
program linked on a newer Debian asks for symbols that an older libc in the image does not have.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from xenlab.debian.supply import Request
from xenlab.errors import InputError
from xenlab.images.deb import unpack_deb
from xenlab.images.tree import FileTree, Link, matches
from xenlab.transport.process import run
from xenlab.waiting import Deadline

FOLDER = Path(__file__).parent / "tools"
LINK_FILE = "link"  # beside the sources: the words that name a tool's libraries
FLAGS = ("-O2", "-s", "-Wall", "-Wextra", "-Werror")

# What the tools are compiled against, and what of it a compiler has no use for.
PACKAGES = ("libc6-dev", "libxen-dev")
WITHOUT = ("debconf", "libc-dev-bin", "libcrypt-dev", "libnsl-dev", "libtirpc-dev", "rpcsvc-proto")
USED_BY_GCC = (
    "usr/include/*",
    "usr/lib/linux/uapi/x86/*",  # from trixie on usr/include has links to these
    "usr/lib/*.a",
    "usr/lib/*.o",
    "usr/lib/*.so*",
    "usr/lib64/*",
)

LIBRARIES = "usr/lib/x86_64-linux-gnu"


def tools_request(suite: str) -> Request:
    """The packages that the tools for images of a suite are compiled against."""
    return Request(suite=suite, packages=PACKAGES, without=WITHOUT)


def tool_files(name: str) -> tuple[Path, ...]:
    """Everything that decides what a tool becomes. Raises InputError if there is no such tool."""
    single = FOLDER / f"{name}.c"
    files = (single,) if single.is_file() else tuple(sorted((FOLDER / name).glob("*")))
    if not files:
        raise InputError(f"{FOLDER}: no tool {name!r}")
    return files


def compile_tools(
    names: Iterable[str], debs: Iterable[Path], folder: Path, deadline: Deadline
) -> None:
    """Compile the tools into a folder, against the packages' headers and libraries."""
    tree = FileTree()
    for deb in debs:
        unpack_deb(deb, tree, lambda path: matches(path, USED_BY_GCC), deadline=deadline)
    for name in ("lib", "lib64"):
        tree.add(name, Link(target=f"usr/{name}"))
    with tempfile.TemporaryDirectory(prefix="sysroot-", dir=folder) as scratch:
        sysroot = Path(scratch)
        tree.write_below(sysroot)
        for name in names:
            _compile(name, sysroot, folder / name, deadline)


def _compile(name: str, sysroot: Path, program: Path, deadline: Deadline) -> None:
    files = tool_files(name)
    units = [file.name for file in files if file.suffix == ".c"]
    linked = [word for file in files if file.name == LINK_FILE for word in file.read_text().split()]
    # gcc looks beside itself, at the host's libraries, before it looks into the sysroot
    libraries = sysroot / LIBRARIES
    where = (f"--sysroot={sysroot}", f"-B{libraries}", f"-L{libraries}")
    argv = ("gcc", *where, *FLAGS, "-o", str(program), *units, *linked)
    run(argv, cwd=files[0].parent, deadline=deadline).require_success()
