"""ReadyKernel: a kernel that somebody built elsewhere: an image, its modules, and their tree."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from xenlab.errors import InputError
from xenlab.kernel.bzimage import extract_vmlinux
from xenlab.kernel.compiler import Compiler
from xenlab.kernel.config import KernelConfig
from xenlab.kernel.debug_info import read_debugged_build
from xenlab.kernel.driver import DriverKind
from xenlab.kernel.driver_source import XEN_HEADERS, DriverSource
from xenlab.kernel.headers import SOURCE, KernelHeaders, header_facts
from xenlab.kernel.module_file import ModuleFile
from xenlab.kernel.unpacked import UnpackedKernel
from xenlab.waiting import Deadline

# linux/kernel/configs.c: what CONFIG_IKCONFIG puts into the kernel, gzipped, between two marks.
CONFIG_BEGINS = b"IKCFG_ST"
CONFIG_ENDS = b"IKCFG_ED"

# linux/init/version.c, linux_banner
BANNER = re.compile(rb"Linux version (\S+) ")

VMLINUX = "vmlinux"
INDEX = "modules.builtin"
SYMBOLS = "Module.symvers"
AUTOCONF = "include/generated/autoconf.h"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyKernel:
    """Paths that the user named: an image and a modules folder, perhaps `.config` and a tree."""

    image: Path
    modules: Path
    config: Path | None
    build: Path | None
    deadline: Deadline

    def __post_init__(self) -> None:
        """Raise InputError with each path that is not what it should be."""
        problems = []
        if not self.image.is_file():
            problems.append(f"{self.image}: no such file")
        if not (self.modules / INDEX).is_file():
            problems.append(f"{self.modules}: no {INDEX} in it, so no lib/modules/<release>")
        if self.config is not None and not self.config.is_file():
            problems.append(f"{self.config}: no such file")
        if self.build is not None and not (self.build / SYMBOLS).is_file():
            problems.append(f"{self.build}: no {SYMBOLS} in it, so no kernel was built there")
        if problems:
            raise InputError(*problems)

    @property
    def label(self) -> str:
        """The image's path."""
        return str(self.image)

    @property
    def inputs(self) -> dict[str, object]:
        """Image and configuration by content, modules by name, size and date."""
        modules = [
            [path.relative_to(self.modules).as_posix(), status.st_size, status.st_mtime_ns]
            for path in sorted(self.modules.rglob("*.ko*"))
            for status in (path.stat(),)
        ]
        config = self._find_config()
        return {
            "image": _digest(self.image),
            "config": _digest(config) if config else "",
            "modules": modules,
            "indexes": [_digest(path) for path in sorted(self.modules.glob("modules.*"))],
            "release": self.read_release(),
        }

    @property
    def headers_key(self) -> str:
        """What of the build tree a module depends on, and what may be edited in it since: drivers.

        Of all headers these are Xen's, for others are the kernel's own as well, and have it built.
        """
        paths = [self._tree / name for name in (SYMBOLS, ".config", AUTOCONF)]
        for root in self._roots:
            paths += [root / name for name in DriverSource(folder=root).list_files()]
            paths += sorted((root / XEN_HEADERS).rglob("*.h"))
        found = [f"{path} {_digest(path)}" for path in paths if path.is_file()]
        return hashlib.sha256("\n".join((str(self._tree), *found)).encode()).hexdigest()

    def read_release(self) -> str:
        """As the folder of its modules is called."""
        return self.modules.resolve().name

    def unpack(self, scratch: Path) -> UnpackedKernel:
        """The user's own files; InputError for modules of another kernel than the image is."""
        name = str(self.image)
        vmlinux = extract_vmlinux(self.image.read_bytes(), name, self.deadline)
        banner = BANNER.search(vmlinux)
        found = banner[1].decode(errors="replace") if banner else ""
        if found and found != self.read_release():
            raise InputError(f"{name}: is Linux {found}, {self.modules} is of another one")
        (scratch / VMLINUX).write_bytes(vmlinux)
        return UnpackedKernel(
            release=self.read_release(),
            name=name,
            image=scratch / VMLINUX,
            config=self._read_config(vmlinux),
            modules=self.modules,
        )

    def provide_headers(self) -> KernelHeaders:
        """The build tree, as it is."""
        text = (self._tree / ".config").read_text(encoding="utf-8")
        facts = header_facts(self.read_release(), KernelConfig.parse(text))
        headers = KernelHeaders.of_folder(self._tree, facts)
        return KernelHeaders(
            folder=self._tree, build=self._tree, release=headers.release,
            gcc_major=headers.gcc_major,
        )  # fmt: skip

    def find_debug_files(self, build_id: str) -> dict[str, Path]:
        """The image, or the `vmlinux` of its tree, and the drivers as installed, or as built there.

        What was built there since is of another build, and is left out.
        """
        tree = self.build or self.modules / "build"
        found = {VMLINUX: _find_debugged(build_id, self.image, tree / VMLINUX)}
        for kind in DriverKind:
            installed = self.modules / "kernel" / kind.built
            with suppress(InputError):  # packed, or built in
                loaded = ModuleFile.read(installed).build_id
                found[kind.module] = _find_debugged(loaded, installed, tree / kind.built)
        return {module: path for module, path in found.items() if path is not None}

    def find_compiler(self) -> Compiler:
        """The host's: it stands where the kernel was built, by what only its owner knows."""
        return Compiler.find(self.deadline)

    def provide_source(self) -> DriverSource:
        """The source that the build tree was built from."""
        for folder in self._roots:
            if all((folder / kind.sources).exists() for kind in DriverKind):
                return DriverSource(folder=folder.resolve())
        raise InputError(f"{self._tree}: neither the drivers' source nor a link `source` to it")

    @property
    def _roots(self) -> tuple[Path, ...]:
        """Where the source may lie that the build tree was built from."""
        return (self._tree, self._tree / SOURCE)

    @property
    def _tree(self) -> Path:
        """The build tree: as named, or as the modules folder names it."""
        tree = self.build or self.modules / "build"
        if not (tree / SYMBOLS).is_file():
            raise InputError(
                f"{self.image}: where it was built is not known, so no driver can be built for it;"
                " name that folder as `build` in the topology"
            )
        return tree.resolve()

    def _find_config(self) -> Path | None:
        return next((path for path in self._config_places() if path.is_file()), None)

    def _config_places(self) -> Iterator[Path]:
        if self.config is not None:
            yield self.config
        yield self.modules / "config"
        yield self.modules / "build/.config"
        yield self.image.with_name(f"config-{self.read_release()}")
        if self.build is not None:
            yield self.build / ".config"

    def _read_config(self, vmlinux: bytes) -> str:
        """As named, or out of the image itself (CONFIG_IKCONFIG), or from beside it."""
        begin, end = vmlinux.find(CONFIG_BEGINS), vmlinux.find(CONFIG_ENDS)
        path = self._find_config()
        if path is not None and (self.config is not None or begin < 0):
            return path.read_text(encoding="utf-8")
        if begin < 0 or end < begin:
            raise InputError(
                f"{self.image}: its configuration is neither in it (CONFIG_IKCONFIG) nor beside"
                " its modules; name it as `config` in the topology"
            )
        return gzip.decompress(vmlinux[begin + len(CONFIG_BEGINS) : end]).decode()


def _find_debugged(build_id: str, *paths: Path) -> Path | None:
    """The first file with debug info of that build."""
    debugged = (path for path in paths if build_id and read_debugged_build(path) == build_id)
    return next(debugged, None)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
