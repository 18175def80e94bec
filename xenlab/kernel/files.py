"""KernelFiles: everything a domain needs of one kernel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelFiles:
    """A kernel ready to boot: an ELF, its configuration, and its modules as one cpio a role.

    `bzimage` is what firmware boots, None for a kernel that came as an ELF.
    `build_id` is the GNU build id of the ELF in hexadecimal: the running kernel shows the same in
    /sys/kernel/notes, which proves that what runs is this. `debug_files` are modules, and `vmlinux`
    for the kernel itself, and the files with debug info of the same build.
    """

    release: str
    vmlinux: Path
    bzimage: Path | None
    config: Path
    modules_dom0: Path
    modules_domu: Path
    build_id: str
    debug_files: tuple[tuple[str, Path], ...] = ()

    def image(self, *, firmware: bool) -> Path:
        """What is booted: a bzImage by firmware, the ELF by Xen."""
        if not firmware:
            return self.vmlinux
        assert self.bzimage is not None, "the plan's kernels were checked for what they have to be"
        return self.bzimage
