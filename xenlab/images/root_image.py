"""The root image of a domain: packages, pruned by the manifest, with our own files on top."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from pathlib import Path

from xenlab.errors import LabError
from xenlab.images.busybox import link_applets
from xenlab.images.deb import EXECUTE_BY_OWNER, unpack_deb
from xenlab.images.libraries import is_library, keep_needed_libraries
from xenlab.images.manifest import Manifest
from xenlab.images.tree import File, FileTree, Folder, Link, matches, merged_path
from xenlab.waiting import Deadline

# Folders that the guest fills at boot: links into them are not dangling.
FILLED_AT_BOOT = ("dev/", "proc/", "run/", "sys/", "tmp/")

MODES = {"root": 0o700, "tmp": 0o1777}


def build_root(
    manifest: Manifest,
    debs: Iterable[Path],
    overlays: Iterable[Path],
    tools: Iterable[Path],
    scratch: Path,
    deadline: Deadline,
) -> FileTree:
    """The tree of an image from its packages' files, the folders laid over them, and our tools.

    Raises LabError naming what the manifest keeps and no package has, and libraries that miss.
    """
    tree = FileTree()
    for deb in debs:
        unpack_deb(deb, tree, lambda path: _is_wanted(manifest, path), deadline=deadline)
    _require_kept(manifest, tree)
    for overlay in overlays:
        add_folder(tree, overlay)
    for tool in tools:
        tree.add(f"usr/bin/{tool.name}", File(content=tool.read_bytes(), executable=True))
    for name in manifest.folders:
        tree.add(name, Folder(mode=MODES.get(name, 0o755)))
    _add_links(manifest, tree)
    keep_needed_libraries(tree, manifest.libraries)
    tree.drop_dangling_links(except_into=FILLED_AT_BOOT)
    link_applets(tree, scratch, deadline)
    return tree


def add_folder(tree: FileTree, folder: Path) -> None:
    """Lay the files below a folder over the tree, of their modes only the executable bit."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            executable = bool(path.stat().st_mode & EXECUTE_BY_OWNER)
            name = merged_path(path.relative_to(folder).as_posix())
            tree.add(name, File(content=path.read_bytes(), executable=executable))


def _is_wanted(manifest: Manifest, path: str) -> bool:
    if matches(path, manifest.drop):
        return False
    return matches(path, manifest.keep) or is_library(path)


def _require_kept(manifest: Manifest, tree: FileTree) -> None:
    unmatched = [
        glob for glob in manifest.keep if not any(matches(path, (glob,)) for path in tree.nodes)
    ]
    if unmatched:
        raise LabError("no package has what is to be kept: " + ", ".join(unmatched), phase="build")


def _add_links(manifest: Manifest, tree: FileTree) -> None:
    for path, target in manifest.links.items():
        tree.add(path, Link(target=target))
    for folder, globs in manifest.link_all.items():
        for path in [path for path in tree.nodes if matches(path, globs)]:
            link = f"{folder}/{posixpath.basename(path)}"
            if link not in tree.nodes:
                tree.add(link, Link(target=f"/{path}"))
