"""KernelHeaders: what modules are built against, out of Debian's packages, at home anywhere."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from xenlab.cache.disk import require_room
from xenlab.debian.unpacking import unpack_debs_without
from xenlab.errors import InputError
from xenlab.kernel.config import KernelConfig
from xenlab.waiting import Deadline

# Linux 6.1: the packages unpacked take 83 MB, and what is kept of them 55 MB.
UNPACKED_BYTES = 200_000_000

# The tree of one flavour (configuration, symbol versions) and the one that all flavours share.
BUILD = "build"
SOURCE = "source"
PREFIX, SHARED = "linux-headers-", "-common"

# The packages' Makefile names its own home; `make -C` stands in the first tree when it reads it.
HOME = "/usr/src/"
MAKEFILE = "Makefile"
HERE = "$(CURDIR)"
CONFIG = ".config"
GCC_MAJOR = 10_000  # linux/scripts/cc-version.sh: 12.2.0 is 120200

# Other architectures, the empty stamps on which the kernel's own rebuilds depend and no module's,
# and vmlinux, which is for the making of BTF: that takes a program of the kernel's own version.
WITHOUT = (
    "./usr/src/*/arch/[!x]*",
    "./usr/src/*/include/config/[A-Z0-9]*",
    "./usr/src/*/vmlinux",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelHeaders:
    """The headers of one kernel: what `make -C` is told, within the folder that holds them all.

    `release` is as `uname -r` shows it, `gcc_major` the version of the compiler that made the
    kernel, or 0 if that was not gcc.
    """

    folder: Path
    build: Path
    release: str
    gcc_major: int

    @property
    def source(self) -> Path:
        """The tree that has `include` in it: apart from the build, or the same."""
        apart = self.folder / SOURCE
        return apart if (apart / "include").is_dir() else self.build.resolve()

    @classmethod
    def of_folder(cls, folder: Path, facts: Mapping[str, str]) -> KernelHeaders:
        """Those in a folder of the store, with what was remembered of them."""
        return cls(
            folder=folder,
            build=folder / BUILD,
            release=facts["release"],
            gcc_major=int(facts["gcc_version"]) // GCC_MAJOR,
        )


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
    makefile = part / BUILD / MAKEFILE
    text = makefile.read_text(encoding="ascii")
    text = text.replace(f"{HOME}{shared[0].name}", f"{HERE}/../{SOURCE}")
    makefile.write_text(text.replace(f"{HOME}{own.name}", HERE), encoding="ascii")
    config = KernelConfig.parse((part / BUILD / CONFIG).read_text(encoding="utf-8"))
    return header_facts(release, config)


def header_facts(release: str, config: KernelConfig) -> dict[str, str]:
    """What is to be remembered of headers."""
    return {"release": release, "gcc_version": config.values.get("CONFIG_GCC_VERSION", "0")}


def _follow_links(tree: Path, root: Path) -> None:
    """Put in the place of each link what it leads to within the root, or nothing."""
    for link in [path for path in tree.rglob("*") if path.is_symlink()]:
        target = link.resolve()
        link.unlink()
        if target.is_relative_to(root.resolve()) and target.is_dir():
            shutil.copytree(target, link)
        elif target.is_relative_to(root.resolve()) and target.is_file():
            shutil.copyfile(target, link)
