"""Driver sources: what of a kernel's source the two drivers are made of, and builds of it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from xenlab.cache.disk import require_room
from xenlab.debian.unpacking import unpack_debs
from xenlab.kernel.compiler import Compiler
from xenlab.kernel.driver import SHARED_HEADERS, DriverKind
from xenlab.kernel.headers import KernelHeaders
from xenlab.kernel.module_build import KBUILD_FILES, build_in_place, is_built
from xenlab.kernel.origin import find_archive
from xenlab.kernel.patch_series import PatchSeries
from xenlab.transport.process import run
from xenlab.waiting import Deadline

# linux-source's archive, 139 MB in 6.1; of what is in it only the drivers are unpacked.
ARCHIVE_BYTES = 300_000_000

DRIVERS = "drivers/net"
INCLUDE = "include"
XEN_HEADERS = f"{INCLUDE}/xen"

# The style checker of the same kernel, by which series on it are judged.
STYLE = ("scripts/checkpatch.pl", "scripts/spelling.txt", "scripts/const_structs.checkpatch")
CHECKPATCH = STYLE[0]

# In place of drivers/net's own Makefile, which would want every other driver too.
KBUILD_FILE = "Kbuild"
KBUILD = "obj-m := xen-netfront.o\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverSource:
    """The drivers' part of one kernel's source: never changed, only copied.

    Paths below `folder` are those of the kernel's source.
    """

    folder: Path

    def list_files(self) -> tuple[str, ...]:
        """The drivers' own files, sorted: not those that a build in the same tree left."""
        paths = [self.folder / kind.sources for kind in DriverKind]
        inside = (each for path in paths if path.is_dir() for each in path.rglob("*"))
        files = (each for each in (*paths, *inside) if each.is_file() and not is_built(each))
        return tuple(sorted(each.relative_to(self.folder).as_posix() for each in files))


def extract_drivers(debs: Iterable[Path], part: Path, deadline: Deadline) -> dict[str, str]:
    """Fill an entry with the drivers' files out of Debian's source package."""
    require_room(part, ARCHIVE_BYTES)
    with tempfile.TemporaryDirectory(prefix="unpacked-", dir=part) as scratch:
        unpack_debs(debs, Path(scratch), deadline)
        archive = find_archive(Path(scratch))
        wanted = (*(f"{kind.sources.rstrip('/')}" for kind in DriverKind), *STYLE)
        argv = ("tar", "--extract", "--xz", "--no-same-owner", "--strip-components=1")
        name = archive.name.removesuffix(".tar.xz")
        members = tuple(f"{name}/{path}" for path in wanted)
        where = ("--directory", str(part), "--file", str(archive))
        run((*argv, *where, *members), deadline=deadline).require_success()
    return {"source": name}


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverBuild:
    """One driver, with a series on it, built against one kernel."""

    kind: DriverKind
    series: PatchSeries
    source: DriverSource
    headers: KernelHeaders
    compiler: Compiler

    def fill(self, part: Path, deadline: Deadline) -> dict[str, str]:
        """Patch a copy of the source, build the driver and put it into an entry."""
        with tempfile.TemporaryDirectory(prefix="driver-", dir=part) as scratch:
            tree = Path(scratch)
            lay_out(self.source, self.headers, self.series, tree, deadline)
            folder = tree / self.kind.sources
            if self.kind is DriverKind.NETFRONT:
                folder = tree / DRIVERS
                (folder / KBUILD_FILE).write_text(KBUILD, encoding="ascii")
            if (tree / INCLUDE).is_dir():
                _include_first(folder, tree)
            return build_in_place(folder, self.headers, self.compiler, part, deadline)


def lay_out(
    source: DriverSource, headers: KernelHeaders, series: PatchSeries, tree: Path,
    deadline: Deadline,
) -> None:  # fmt: skip
    """Fill a tree with the drivers' files and put a series on them; InputError if it does not fit.

    The headers that both drivers include are there if the series changes one.
    """
    for name in source.list_files():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source.folder / name, tree / name)
    if any(file in SHARED_HEADERS for file in series.files):
        shutil.copytree(headers.source / XEN_HEADERS, tree / XEN_HEADERS)
    series.apply(tree, deadline)


def _include_first(folder: Path, tree: Path) -> None:
    """Have a folder's sources find the tree's own headers before those of the kernel.

    Kbuild puts what ccflags-y says behind the kernel's own (scripts/Makefile.lib, c_flags). They
    move into the folder, for of the tree a compiler may see nothing else.
    """
    (tree / INCLUDE).rename(folder / INCLUDE)
    make = next(folder / name for name in KBUILD_FILES if (folder / name).is_file())
    line = f"LINUXINCLUDE := -I$(KBUILD_EXTMOD)/{INCLUDE} $(LINUXINCLUDE)\n"
    make.write_text(line + make.read_text(encoding="utf-8"), encoding="utf-8")
