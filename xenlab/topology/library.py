"""Where topologies lie: those that come with xenlab, the project's and the user's own."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from xenlab.errors import InputError
from xenlab.topology.fields import NAME_PATTERN
from xenlab.topology.stream import FILE_MAX_BYTES
from xenlab.topology.wording import did_you_mean, escape, list_names, quote

SHIPPED = Path(__file__).parent.parent / "topologies"
SUFFIX = ".yaml"
NAME_MAX_CHARS = 15
ABSENT = "no such file"


def topology_paths() -> Mapping[str, Path]:
    """Every topology that has a name; the project's comes before the user's, that before ours."""
    user = platformdirs.user_config_path("xenlab") / "topologies"
    project = Path("topologies")
    return {
        path.stem: path
        for folder in (SHIPPED, user, project)
        for path in sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.stem)
        if re.fullmatch(NAME_PATTERN, path.stem)
    }


def find_topology(name_or_path: str) -> Path:
    """The file of a named topology, or the path itself if it looks like one.

    Raises InputError with the names there are.
    """
    if "/" in name_or_path or name_or_path.endswith((SUFFIX, ".yml", ".json")):
        return Path(name_or_path)
    known = topology_paths()
    if name_or_path in known:
        return known[name_or_path]
    hint = did_you_mean(name_or_path, known)
    raise InputError(
        f"no topology {quote(name_or_path)}{hint} (there are {list_names(known)};"
        f" a file is named with `/` or `{SUFFIX}`)",
        try_next="xenlab topologies",
    )


def read_topology_file(path: Path) -> bytes:
    """The bytes of a regular file, at most one more than allowed. Raises InputError."""
    try:
        # A FIFO without a writer would block the open for ever.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise InputError(f"{shown_path(path)}:1:1: not a regular file")
            with os.fdopen(handle, "rb", closefd=False) as file:
                return file.read(FILE_MAX_BYTES + 1)
        finally:
            os.close(handle)
    except (OSError, ValueError) as error:
        reason = _reason(error)
        try_next = "xenlab topologies" if reason == ABSENT else ""
        raise InputError(f"{shown_path(path)}:1:1: {reason}", try_next=try_next) from error


def name_of_path(path: Path) -> str:
    """The name of a topology by its file, made safe for every place where names go."""
    if re.fullmatch(NAME_PATTERN, path.stem):
        return path.stem
    words = re.sub("[^a-z0-9]+", "-", path.stem.lower()).lstrip("-0123456789")
    return words[:NAME_MAX_CHARS].rstrip("-") or "topology"


def shown_path(path: Path) -> str:
    """The path as messages show it."""
    return escape(str(path))


def _reason(error: OSError | ValueError) -> str:
    match error:
        case OSError(errno=errno.ENOENT | errno.ENOTDIR):
            return ABSENT
        case OSError(errno=errno.EACCES | errno.EPERM):
            return "not readable by this user"
        case OSError():
            return str(error.strerror).lower()
        case _:
            return "not a file name"
