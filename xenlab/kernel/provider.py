"""KernelProvider: one noun for every way to a kernel; whoever asks need not know which it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from xenlab.kernel.compiler import Compiler
from xenlab.kernel.driver_source import DriverSource
from xenlab.kernel.headers import KernelHeaders
from xenlab.kernel.unpacked import UnpackedKernel


class KernelProvider(Protocol):
    """Gives the parts of one kernel; what it costs it costs once, for the store keeps them.

    Every method raises InputError for what the user named and cannot be.
    """

    @property
    def label(self) -> str:
        """How messages call it."""
        ...

    @property
    def inputs(self) -> dict[str, object]:
        """What decides which kernel it is, known before it is there."""
        ...

    @property
    def headers_key(self) -> str:
        """What decides what its headers are, known before they are there."""
        ...

    def read_release(self) -> str:
        """The kernel's release, as `uname -r` shows it."""
        ...

    def unpack(self, scratch: Path) -> UnpackedKernel:
        """Image, configuration and modules; a scratch folder to put them in if need be."""
        ...

    def provide_headers(self) -> KernelHeaders:
        """What modules for it are built against."""
        ...

    def provide_source(self) -> DriverSource:
        """The source of its two drivers."""
        ...

    def find_debug_files(self, build_id: str) -> Mapping[str, Path]:
        """The files with debug info of that build, by module, the kernel's own as `vmlinux`."""
        ...

    def find_compiler(self) -> Compiler:
        """What builds modules for it: the host's compiler unless another one is needed and had."""
        ...
