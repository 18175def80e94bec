"""Workspace: xenlab run with a state, a runtime and a home of its own, and what it leaves there.

Only the cache is shared with the user (images and checkpoints are what is timed), unless another is
given. Whatever a lab leaves behind is found by the workspace's path, which no other process knows.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import platformdirs

from bench.programs import Ended, run_to_end
from xenlab.registry.places import state_digest
from xenlab.transport.process import OF_MAKE

XENLAB = Path(sys.executable).with_name("xenlab")
PRIVATE = {
    "HOME": "home",
    "TMPDIR": "tmp",
    "XDG_CONFIG_HOME": "config",
    "XDG_DATA_HOME": "data",
    "XDG_RUNTIME_DIR": "run",
    "XDG_STATE_HOME": "state",
}
PACKAGE_FOLDERS = ("packages", "requests")  # the .deb files, and what apt once resolved
UP_LIMIT_S = 300.0
DOWN_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A folder and the lab name that is used in it."""

    root: Path
    cache: Path
    lab: str

    @property
    def env(self) -> dict[str, str]:
        """The environment of every program run here: no XENLAB_ setting, all XDG folders ours.

        And nothing of the make that runs the bench, for some of them are makes themselves.
        """
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith("XENLAB_") and key not in OF_MAKE
        }
        ours = {key: str(self.root / folder) for key, folder in PRIVATE.items()}
        return kept | ours | {"XDG_CACHE_HOME": str(self.cache), "NO_COLOR": "1"}

    def with_cache(self, cache: Path) -> Workspace:
        """The same workspace on another cache."""
        return replace(self, cache=cache)

    def xenlab(self, *words: str, limit_s: float = UP_LIMIT_S) -> Ended:
        """Run `xenlab` with these words to its end, whatever its status."""
        return self.run(str(XENLAB), *words, limit_s=limit_s)

    def run(self, *argv: str, limit_s: float = UP_LIMIT_S) -> Ended:
        """Run any program in the workspace's environment to its end, whatever its status."""
        return run_to_end(argv, env=self.env, limit_s=limit_s)

    def up(self, topology: str, *options: str) -> Ended:
        """Bring the lab up; ProgramFailed if it does not come."""
        return self.xenlab("up", topology, "--lab", self.lab, *options).require_success()

    def down(self) -> None:
        """Take the lab down; ProgramFailed if that fails."""
        self.xenlab("down", self.lab, limit_s=DOWN_LIMIT_S).require_success()

    def find_processes(self) -> tuple[str, ...]:
        """Command lines of all processes that carry this workspace's path or lab in them."""
        marks = (os.fsencode(self.root), self.lab.encode())
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            command, environment = _read(process / "cmdline"), _read(process / "environ")
            if any(mark in command or mark in environment for mark in marks):
                text = command.replace(b"\0", b" ").decode(errors="replace")
                found.append(f"process {process.name}: {text[:160]}")
        return tuple(found)

    def find_files(self) -> frozenset[str]:
        """All sockets and files outside the cache that a lab of ours can have made."""
        ours = state_digest(self.root / PRIVATE["XDG_STATE_HOME"] / "xenlab")
        shared = Path(f"/tmp/xenlab-{os.geteuid()}")  # noqa: S108 - xenlab's own choice
        folders = (self.root, shared / ours)
        return frozenset(text for folder in folders for text in _list_files(folder))


@contextmanager
def open_workspace() -> Iterator[Workspace]:
    """A new workspace on the user's cache; its lab is down and its folder gone at the end."""
    cache = Path(platformdirs.user_cache_dir())
    with tempfile.TemporaryDirectory(prefix="xlb-") as folder:
        root = Path(folder)
        for name in PRIVATE.values():
            (root / name).mkdir(mode=0o700)
        workspace = Workspace(root=root, cache=cache, lab=f"bench-{os.getpid()}")
        try:
            yield workspace
        finally:
            workspace.xenlab("down", "--all", limit_s=DOWN_LIMIT_S)


def copy_packages(cache: Path, new_cache: Path) -> None:
    """Give `new_cache` the packages of `cache` and nothing else, as hard links."""
    for name in PACKAGE_FOLDERS:
        shutil.copytree(cache / name, new_cache / name, copy_function=os.link)


def _read(path: Path) -> bytes:
    # A process may end while it is looked at, and those of other users are not ours to read.
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _list_files(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        mode = path.lstat().st_mode
        if not stat.S_ISDIR(mode):
            yield f"{'socket' if stat.S_ISSOCK(mode) else 'file'} {path}"
