"""ModuleBuild: C sources on their way to a loadable module, in a folder of their own."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from xenlab.errors import InputError
from xenlab.kernel.compiler import Compiler
from xenlab.kernel.headers import KernelHeaders
from xenlab.kernel.module_file import DEBUG, SUFFIX, ModuleFile
from xenlab.waiting import Deadline

KBUILD_FILES = ("Kbuild", "Makefile")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleSource:
    """A folder with a Kbuild file that makes one module, and what of it decides the result."""

    folder: Path

    def __post_init__(self) -> None:
        """Raise InputError if there is nothing in the folder that make could build."""
        if not any((self.folder / name).is_file() for name in KBUILD_FILES):
            raise InputError(f"{self.folder}: no {' or '.join(KBUILD_FILES)}, so no kernel module")

    @property
    def inputs(self) -> list[list[str]]:
        """Name and SHA-256 of each file, sorted: not those that an earlier build left."""
        files = (path for path in sorted(self.folder.rglob("*")) if path.is_file())
        return [
            [
                path.relative_to(self.folder).as_posix(),
                hashlib.sha256(path.read_bytes()).hexdigest(),
            ]
            for path in files
            if not is_built(path)
        ]

    def copy_to(self, folder: Path) -> None:
        """The files that count, laid out anew."""
        for name, _digest in self.inputs:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.folder / name, target)


def build_module(
    source: ModuleSource, headers: KernelHeaders, compiler: Compiler, part: Path, deadline: Deadline
) -> dict[str, str]:
    """Fill an entry with a folder's module; its file's name as the fact to remember."""
    with tempfile.TemporaryDirectory(prefix="module-", dir=part) as scratch:
        source.copy_to(Path(scratch))
        return build_in_place(Path(scratch), headers, compiler, part, deadline)


def build_in_place(
    folder: Path, headers: KernelHeaders, compiler: Compiler, part: Path, deadline: Deadline
) -> dict[str, str]:
    """Build the one module of a folder and put it into an entry, twice.

    As `NAME.ko` without debug sections, to be sent over a slow channel, and as `NAME.ko.debug`,
    whose build id is the same, to decode what a crash of it leaves.
    """
    compiler.make(headers, folder, "modules", deadline)
    built = list(folder.glob(f"*{SUFFIX}"))
    if len(built) != 1:
        names = ", ".join(sorted(path.name for path in built)) or "none"
        raise InputError(f"the sources should make one module, they make {names}")
    ModuleFile.read(built[0]).require_release(headers.release)
    name = built[0].name
    shutil.copyfile(built[0], part / f"{name}{DEBUG}")
    compiler.strip(headers, built[0], part / name, deadline)
    return {"file": name}


def is_built(path: Path) -> bool:
    """Whether make left it: named like Kbuild's own files, or an object."""
    built = (".ko", ".o", ".mod", ".mod.c", ".cmd", ".symvers", "modules.order")
    return path.name.endswith(built)
