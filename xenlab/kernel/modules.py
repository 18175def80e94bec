"""Kernel modules: found by name in an unpacked package, with what they depend on, unpacked."""

from __future__ import annotations

import io
import lzma
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile

from xenlab.errors import InputError
from xenlab.transport.process import run
from xenlab.waiting import Deadline

SUFFIXES = (".ko", ".ko.gz", ".ko.xz", ".ko.zst")


def module_name(path: str) -> str:
    """The name the kernel knows a module by: no folder, no suffix, `_` for `-`."""
    return path.rpartition("/")[2].partition(".ko")[0].replace("-", "_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One module: its path below the modules folder of its release, without compression suffix."""

    path: str
    content: bytes

    @property
    def depends(self) -> tuple[str, ...]:
        """The names of the modules that must be loaded before it (`modinfo -F depends`)."""
        section = ELFFile(io.BytesIO(self.content)).get_section_by_name(".modinfo")
        if section is None:
            raise InputError(f"{self.path}: not a kernel module, it has no .modinfo")
        fields = dict(field.partition(b"=")[::2] for field in section.data().split(b"\0"))
        return tuple(name for name in fields.get(b"depends", b"").decode().split(",") if name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleFolder:
    """`lib/modules/<release>` of a kernel package."""

    folder: Path
    deadline: Deadline

    @property
    def release(self) -> str:
        """The kernel's release, as `uname -r` shows it."""
        return self.folder.name

    def builtin(self) -> frozenset[str]:
        """The names of what could be a module and is built into the kernel."""
        lines = (self.folder / "modules.builtin").read_text(encoding="ascii").splitlines()
        return frozenset(module_name(line) for line in lines)

    def missing(self, required: Iterable[str]) -> tuple[str, ...]:
        """Those of the modules named that are neither here nor built in."""
        there = self._paths().keys() | self.builtin()
        return tuple(name for name in map(module_name, required) if name not in there)

    def select(self, required: Iterable[str], if_present: Iterable[str] = ()) -> tuple[Module, ...]:
        """The modules named and all they depend on, sorted by path; built-in ones are satisfied.

        Raises InputError naming every required module that this kernel lacks.
        """
        missing = self.missing(required)
        if missing:
            raise InputError(f"kernel {self.release} has no module {', '.join(missing)}")
        paths = self._paths()
        names = [module_name(name) for name in required]
        pending = [*names, *(module_name(name) for name in if_present)]
        chosen: dict[str, Module] = {}
        while pending:
            name = pending.pop()
            if name in paths and name not in chosen:
                chosen[name] = self._read(paths[name])
                pending += [module_name(needed) for needed in chosen[name].depends]
        return tuple(sorted(chosen.values(), key=lambda module: module.path))

    def index_files(self) -> dict[str, bytes]:
        """The files that depmod and modprobe want beside the modules."""
        names = ("modules.builtin", "modules.builtin.modinfo", "modules.order")
        present = (self.folder / name for name in names)
        return {path.name: path.read_bytes() for path in present if path.exists()}

    def _paths(self) -> dict[str, Path]:
        return {module_name(path.name): path for path in self.folder.rglob("*.ko*")}

    def _read(self, path: Path) -> Module:
        packed = path.read_bytes()
        name = path.relative_to(self.folder).as_posix()
        if name.endswith(".xz"):
            return Module(path=name.removesuffix(".xz"), content=lzma.decompress(packed))
        for suffix, program in ((".zst", "zstd"), (".gz", "gzip")):
            if name.endswith(suffix):
                result = run((program, "-dc"), stdin=packed, deadline=self.deadline)
                return Module(
                    path=name.removesuffix(suffix), content=result.require_success().stdout
                )
        return Module(path=name, content=packed)


def run_depmod(root: Path, release: str, deadline: Deadline) -> None:
    """Write the indexes that modprobe reads, below `root/lib/modules/<release>`."""
    run(("depmod", "-b", str(root), release), deadline=deadline).require_success()
