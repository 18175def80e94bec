"""Headers of a kernel that was built here: the two trees that modules are built against.

They are laid out as those of Debian's packages: `build` for what configuration and compiler made,
`source` for what was there before, and neither knows by what path it was built.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from xenlab.kernel.driver import DriverKind
from xenlab.kernel.driver_source import DRIVERS, STYLE
from xenlab.kernel.headers import BUILD, HERE, MAKEFILE, SOURCE

OWN_MAKEFILE = f"KBUILD_OUTPUT={HERE}\ninclude {HERE}/../{SOURCE}/{MAKEFILE}\n"

# What a build of a module reads (linux/scripts/package/install-extmod-build has much the same).
FROM_BUILD = (
    ".config", "Module.symvers", "arch/x86/include", "arch/x86/module.lds", "include", "scripts",
    "tools/objtool/objtool",
)  # fmt: skip
FROM_SOURCE = (
    MAKEFILE, "arch/x86/Kbuild", "arch/x86/Makefile", "arch/x86/Makefile_32.cpu",
    "arch/x86/Makefile.um", "arch/x86/Makefile.postlink", "arch/x86/include", "include", "scripts",
    "tools/objtool/sync-check.sh",
)  # fmt: skip
# What a module's build does not read: objects of programs, notes of make, and the empty stamps of
# symbols beside the configuration.
OBJECTS = shutil.ignore_patterns("*.o", "*.cmd", "*.a", ".tmp_*")
STAMPS = "include/config"


def assemble_built_headers(source: Path, out: Path, part: Path) -> None:
    """Fill an entry with the headers of a finished build, and with the two drivers' source."""
    _copy_all(FROM_BUILD, out, part / BUILD)
    (part / BUILD / MAKEFILE).write_text(OWN_MAKEFILE, encoding="ascii")
    drivers = (kind.sources.rstrip("/") for kind in DriverKind)
    _copy_all((*FROM_SOURCE, *STYLE, *drivers), source, part / SOURCE)
    assert (part / SOURCE / DRIVERS).is_dir(), part


def _copy_all(names: Iterable[str], root: Path, target: Path) -> None:
    """Copy those that are there; in place of a link what it leads to, for entries hold no links."""
    for name in names:
        origin, copy = root / name, target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if origin.is_dir():
            shutil.copytree(
                origin, copy, ignore=_leave_out, ignore_dangling_symlinks=True, dirs_exist_ok=True
            )
        elif origin.is_file():
            shutil.copyfile(origin, copy)
            copy.chmod(origin.stat().st_mode)


def _leave_out(folder: str, names: list[str]) -> set[str]:
    stamps = {name for name in names if folder.endswith(STAMPS) and not name[0].islower()}
    return stamps | OBJECTS(folder, names)
