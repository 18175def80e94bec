"""Stock drivers: those that a node's own image holds, and their build ids."""

from __future__ import annotations

from pathlib import Path

from xenlab.errors import InputError
from xenlab.kernel.driver import STOCK, Driver, DriverKind
from xenlab.kernel.files import KernelFiles
from xenlab.kernel.module_file import ModuleFile
from xenlab.transport.process import run
from xenlab.waiting import Deadline


def read_stock_driver(kernel: KernelFiles, kind: DriverKind, deadline: Deadline) -> Driver:
    """The driver in the modules of a kernel. Raises InputError if there it is no module."""
    cpio = kernel.modules_dom0 if kind is DriverKind.NETBACK else kernel.modules_domu
    argv = ("cpio", "--extract", "--quiet", "--to-stdout", f"*/{kind.file}")
    content = run(argv, stdin=cpio.read_bytes(), deadline=deadline).require_success().stdout
    if not content:
        raise InputError(
            f"Linux {kernel.release} has no module {kind.module}: its driver cannot be replaced"
        )
    return Driver(
        kind=kind, name=STOCK, build_id=ModuleFile.parse(Path(kind.file), content).build_id
    )
