"""KernelFiles: everything a domain needs of one kernel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelFiles:
    """A kernel ready to boot: an ELF, its configuration, and its modules as one cpio a role.

    `build_id` is the GNU build id of the ELF in hexadecimal: the running kernel shows the same in
    /sys/kernel/notes, which proves that what runs is this.
    """

    release: str
    vmlinux: Path
    config: Path
    modules_dom0: Path
    modules_domu: Path
    build_id: str
