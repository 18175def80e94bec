"""busybox' applets: the many small programs that one program is, each a link to it."""

from __future__ import annotations

import posixpath
import tempfile
from pathlib import Path

from xenlab.errors import LabError
from xenlab.images.libraries import LIBRARY_FOLDERS, is_library, read_needs
from xenlab.images.tree import File, FileTree, Link, merged_path
from xenlab.transport.process import run
from xenlab.waiting import Deadline

BUSYBOX = "usr/bin/busybox"


def link_applets(tree: FileTree, scratch: Path, deadline: Deadline) -> None:
    """Link every applet where no other program of the tree has its name."""
    programs = {posixpath.basename(path) for path in tree.nodes if "bin/" in path}
    for applet in _list_applets(tree, scratch, deadline):
        if posixpath.basename(applet) not in programs:
            tree.add(merged_path(applet), Link(target=f"/{BUSYBOX}"))


def _list_applets(tree: FileTree, scratch: Path, deadline: Deadline) -> list[str]:
    """The applets' paths as busybox itself lists them, run here with the tree's own libraries."""
    busybox = tree.nodes.get(BUSYBOX)
    if not isinstance(busybox, File):
        raise LabError(f"/{BUSYBOX} is no file of the image", phase="build")
    needed = FileTree()
    for path, node in tree.nodes.items():
        if path == BUSYBOX or is_library(path):
            needed.add(path, node)
    with tempfile.TemporaryDirectory(prefix="busybox-", dir=scratch) as name:
        root = Path(name)
        needed.write_below(root)
        argv = [str(root / BUSYBOX), "--list-full"]
        loader = read_needs(busybox.content).loader
        if loader:
            libraries = ":".join(str(root / folder) for folder in LIBRARY_FOLDERS)
            argv = [str(root / tree.resolve(loader)), "--library-path", libraries, *argv]
        return run(argv, deadline=deadline).require_success().text.split()
