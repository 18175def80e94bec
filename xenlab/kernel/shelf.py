"""Shelf: what of kernels comes with xenlab in C: modules, and patch series on the drivers."""

from __future__ import annotations

from pathlib import Path

import xenlab
from xenlab.errors import InputError
from xenlab.topology.wording import did_you_mean, list_names, quote

PACKAGE = Path(xenlab.__file__).parent


def shelf() -> Path:
    """The folder `kernels`: in the package where it was installed, beside it in a checkout."""
    installed = PACKAGE / "kernels"
    return installed if installed.is_dir() else PACKAGE.parent / "kernels"


def list_series() -> tuple[str, ...]:
    """The names of the patch series that come with xenlab."""
    return tuple(sorted(path.parent.name for path in shelf().glob("patches/*/README.md")))


def find_module(name: str) -> Path:
    """The source folder of a module that comes with xenlab."""
    known = {path.parent.name: path.parent for path in shelf().glob("modules/*/Kbuild")}
    if name not in known:
        hint = did_you_mean(name, known)
        raise InputError(f"no module {quote(name)}{hint} (there are {list_names(known)})")
    return known[name]
