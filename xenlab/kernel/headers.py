"""KernelHeaders: what modules are built against, out of Debian's packages, at home anywhere."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from xenlab.cache.disk import require_room
from xenlab.cache.entry import Entry
from xenlab.debian.unpacking import unpack_debs_without
from xenlab.errors import InputError
from xenlab.waiting import Deadline

# Linux 6.1: the packages unpacked take 83 MB, and what is kept of them 55 MB.
UNPACKED_BYTES = 200_000_000

# The tree of one flavour (configuration, symbol versions) and the one that all flavours share.
BUILD = "build"
SOURCE = "source"
PREFIX, SHARED = "linux-headers-", "-common"

# The package's Makefile names /usr/src; this one finds the other tree beside its own.
MAKEFILE = f"include $(dir $(lastword $(MAKEFILE_LIST)))../{SOURCE}/Makefile\n"

# Other architectures, and the empty stamps on which the kernel's own rebuilds depend: no module's.
WITHOUT = ("./usr/src/*/arch/[!x]*", "./usr/src/*/include/config/[A-Z0-9]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelHeaders:
    """The headers of one kernel in the store."""

    entry: Entry

    @property
    def release(self) -> str:
        """The kernel's release, as `uname -r` shows it."""
        return self.entry.facts["release"]

    @property
    def build(self) -> Path:
        """The folder that `make -C` is told."""
        return self.entry.path(BUILD)


def assemble_headers(
    debs: Iterable[Path], release: str, part: Path, deadline: Deadline
) -> dict[str, str]:
    """Fill an entry with the two trees of a kernel's headers; the facts to remember of them.

    An entry holds plain files only: in place of a link there is what it leads to.
    """
    require_room(part, UNPACKED_BYTES)
    with tempfile.TemporaryDirectory(prefix="unpacked-", dir=part) as scratch:
        unpack_debs_without(WITHOUT, debs, Path(scratch), deadline)
        sources = Path(scratch) / "usr/src"
        own = sources / f"{PREFIX}{release}"
        shared = list(sources.glob(f"{PREFIX}*{SHARED}*"))
        if not own.is_dir() or len(shared) != 1:
            found = ", ".join(sorted(path.name for path in sources.glob("*"))) or "nothing"
            raise InputError(f"the headers of {release} should be two trees, there is {found}")
        for tree, name in ((own, BUILD), (shared[0], SOURCE)):
            _follow_links(tree, Path(scratch))
            tree.rename(part / name)
    (part / BUILD / "Makefile").write_text(MAKEFILE, encoding="ascii")
    return {"release": release}


def _follow_links(tree: Path, root: Path) -> None:
    """Put in the place of each link what it leads to within the root, or nothing."""
    for link in [path for path in tree.rglob("*") if path.is_symlink()]:
        target = link.resolve()
        link.unlink()
        if target.is_relative_to(root.resolve()) and target.is_dir():
            shutil.copytree(target, link)
        elif target.is_relative_to(root.resolve()) and target.is_file():
            shutil.copyfile(target, link)
