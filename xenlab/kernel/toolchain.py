"""Toolchain: the compiler of a Debian suite and all that Kbuild starts, as a root of their own.

A kernel made by a newer gcc than this host has takes modules of that gcc only. It comes as packages
of the kernel's own suite, with the libc, make, shell and binutils it was meant for, and runs in
bubblewrap: nothing of this host is in sight there but the headers and the folder that is built.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from xenlab.cache.disk import require_room
from xenlab.cache.entry import KEY_DIGITS, Recipe
from xenlab.cache.store import EntryStore
from xenlab.debian.package import DebPackage
from xenlab.debian.supply import PackageSupply, Request
from xenlab.errors import LabError, Unavailable
from xenlab.images.deb import unpack_deb
from xenlab.images.libraries import is_library, keep_needed_libraries
from xenlab.images.tree import File, FileTree, Folder, Link, matches
from xenlab.kernel.compiler import BINUTILS
from xenlab.kernel.packages import CompilerPackages
from xenlab.transport.process import run
from xenlab.transport.shell import CommandResult
from xenlab.waiting import Deadline

# Goes up when the same packages would give another tree than before.
BUILDER_VERSION = 1
KIND = "toolchain"

# gcc 16 and what goes with it take 70 MB.
TREE_BYTES = 100_000_000

# What runs beside the compiler in the build of a module (linux/Makefile, linux/scripts/Makefile.*).
PACKAGES = (
    "binutils", "coreutils", "dash", "diffutils", "findutils", "grep", "make", "mawk", "sed",
)  # fmt: skip
COREUTILS = (
    "[", "basename", "cat", "chmod", "cp", "cut", "date", "dirname", "echo", "env", "expr", "false",
    "head", "install", "ln", "ls", "mkdir", "mktemp", "mv", "nproc", "paste", "printf", "pwd",
    "readlink", "realpath", "rm", "rmdir", "seq", "sha1sum", "sha256sum", "sort", "stat", "tail",
    "tee", "test", "touch", "tr", "true", "uname", "uniq", "wc",
)  # fmt: skip
OTHERS = ("as", "cmp", "dash", "diff", "find", "grep", "make", "mawk", "sed", "xargs")
# Debian makes these links by maintainer scripts and alternatives.
CALLED = {"sh": "dash", "awk": "mawk"}

# The compiler proper; of its companions those that link and optimise at link time do not come.
KEPT = ("usr/libexec/gcc/*/cc1", "usr/lib/gcc/*/cc1")
# By which path programs ask for ld.so; in a place to build at it is a link, as on every Debian.
LOADERS = "lib64"
# gcc wants a folder of headers to look into, even where it finds nothing: Kbuild's trials of its
# options do not say -nostdinc.
INCLUDE = "usr/include"
# What objtool and modpost of linux-kbuild need beyond the programs above.
OPENED = ("libelf.so.1",)

# What gcc and binutils depend on for programs that are linked, or are documentation.
NEEDLESS = re.compile(
    r"binutils-common|gcc-\d+-base|lib(?:asan|atomic|cc1-|gomp|gprofng|hwasan|itm|lsan|quadmath"
    r"|tsan|ubsan)\d+|libgcc-\d+-dev|libc-gconv-modules-extra|openssl-provider-legacy|debianutils"
)

HEADERS, MODULE = Path("/headers"), Path("/module")
REFUSAL = b"bwrap: "


@dataclass(frozen=True, slots=True, kw_only=True)
class TreePlace:
    """Headers and sources bound into a tree of programs; fixed paths, whatever this host has."""

    argv: tuple[str, ...]
    headers: Path = HEADERS
    folder: Path = MODULE

    def run(self, argv: Sequence[str], deadline: Deadline) -> CommandResult:
        """Run a program of the tree. Raises Unavailable if this host can make no sandbox."""
        result = run((*self.argv, *argv), deadline=deadline)
        if result.status != 0 and result.stderr.startswith(REFUSAL):
            told = result.stderr.decode(errors="replace").strip()
            raise Unavailable(f"no compiler can be run apart: {told}", try_next="xenlab doctor")
        return result


@dataclass(frozen=True, kw_only=True)
class Toolchain:
    """The compiler of a suite that certain packages name; fetched when it is first at work."""

    suite: str
    names: CompilerPackages
    supply: PackageSupply
    store: EntryStore

    @cached_property
    def packages(self) -> tuple[DebPackage, ...]:
        """Every package that something is taken of."""
        wanted = (self.names.gcc, *self.names.libraries, *PACKAGES)
        found = self.supply.resolve(Request(suite=self.suite, packages=tuple(sorted(wanted))))
        return tuple(package for package in found if not NEEDLESS.fullmatch(package.name))

    @property
    def recipe(self) -> Recipe:
        """What decides which programs are in the tree."""
        packages = [[package.apt_name, package.sha256] for package in self.packages]
        return Recipe(kind=KIND, inputs={"builder": BUILDER_VERSION, "packages": packages})

    @property
    def version(self) -> str:
        """The compiler's package, and the digest of everything that is there beside it."""
        gcc = next(package for package in self.packages if package.name == self.names.gcc)
        key = self.recipe.key[:KEY_DIGITS]
        return f"{gcc.name} {gcc.version} ({self.suite}, {KIND} {key})"

    def place(self, headers: Path, folder: Path) -> TreePlace:
        """The tree, unpacked once, with the two folders in it."""
        entry = self.store.provide(self.recipe, self._fill)
        return TreePlace(argv=render_argv(entry.folder, headers, folder))

    def _fill(self, part: Path) -> dict[str, str]:
        debs = self.supply.fetch(self.suite, self.packages)
        require_room(part, TREE_BYTES)
        self.supply.report(f"unpacking {self.names.gcc} of {self.suite} and what goes with it")
        assemble_toolchain(debs, self.names.program, self.supply.deadline).write_below(part)
        return {"gcc": self.version}


def render_argv(tree: Path, headers: Path, folder: Path) -> tuple[str, ...]:
    """The bubblewrap command line that a program's own words follow; nothing is run.

    The environment is empty but for what is set here: none of this host's words reach make.
    """
    return (
        "bwrap", "--clearenv", "--setenv", "PATH", "/usr/bin", "--setenv", "LC_ALL", "C",
        "--ro-bind", str(tree / "usr"), "/usr",
        "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib",
        "--symlink", "usr/lib64", "/lib64",
        "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp",  # noqa: S108 (the tree's own)
        "--ro-bind", str(headers), str(HEADERS), "--bind", str(folder), str(MODULE),
        "--chdir", str(MODULE), "--unshare-pid", "--unshare-ipc", "--die-with-parent", "--",
    )  # fmt: skip


def assemble_toolchain(debs: Iterable[Path], gcc: str, deadline: Deadline) -> FileTree:
    """The programs that Kbuild starts out of their packages, and the libraries that they need.

    Raises LabError naming each program that no package has, and libraries that miss.
    """
    programs = {
        f"usr/bin/{name}" for name in (gcc, *BINUTILS, *COREUTILS, *OTHERS, *CALLED)
    }  # fmt: skip
    tree = FileTree()
    for deb in debs:
        unpack_deb(deb, tree, _may_be_needed, deadline=deadline)
    _replace_links(tree)
    for name, real in CALLED.items():
        tree.add(f"usr/bin/{name}", tree.nodes[f"usr/bin/{real}"])
    for path, _file in tree.files():
        if path not in programs and not matches(path, KEPT) and not is_library(path):
            tree.remove(path)
    missing = sorted(programs - tree.nodes.keys())
    if missing:
        raise LabError("no package has " + ", ".join(missing), phase="build")
    tree.add(LOADERS, Link(target=f"usr/{LOADERS}"))
    keep_needed_libraries(tree, OPENED)
    tree.remove(LOADERS)
    tree.add(INCLUDE, Folder())
    return tree


def _may_be_needed(path: str) -> bool:
    return path.startswith("usr/bin/") or is_library(path) or matches(path, KEPT)


def _replace_links(tree: FileTree) -> None:
    """Put in the place of each link what it leads to, for entries hold no links."""
    for path, _link in tree.links():
        node = tree.nodes.get(tree.resolve(path))
        tree.remove(path)
        if isinstance(node, File):
            tree.add(path, node)
