"""FileTree: the files of an image before they are written, in memory, with a merged /usr."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TypeAlias

from xenlab.errors import LabError

# Debian's merged /usr: what a package ships below these lies below /usr.
MERGED = ("bin", "lib", "lib64", "sbin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A directory with its permission bits."""

    mode: int = 0o755


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A symbolic link, its target as written."""

    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A regular file: readable by all, writable by root, perhaps executable."""

    content: bytes
    executable: bool = False

    @property
    def mode(self) -> int:
        """The permission bits: two kinds only, so that a builder's umask cannot leak in."""
        return 0o755 if self.executable else 0o644


Node: TypeAlias = Folder | Link | File


def merged_path(name: str) -> str:
    """A member name such as `./bin/ip` as a path from the root: `usr/bin/ip`.

    Raises LabError for a name that leads out of the tree.
    """
    path = posixpath.normpath(name.lstrip("/"))
    first = path.partition("/")[0]
    if first == "..":
        raise LabError(f"a package holds the path {name!r}, outside of its root", phase="build")
    return f"usr/{path}" if first in MERGED and path != first else path


def matches(path: str, globs: Iterable[str]) -> bool:
    """Whether a path matches one of the globs; `*` crosses slashes."""
    return any(fnmatchcase(path, glob) for glob in globs)


@dataclass(slots=True, kw_only=True)
class FileTree:
    """Paths from the root, without a leading slash, to what is there."""

    nodes: dict[str, Node] = field(default_factory=dict)

    def add(self, path: str, node: Node) -> None:
        """Put a node at a path, over what was there, and the folders above it."""
        parent = posixpath.dirname(path)
        if parent and not isinstance(self.nodes.get(parent), Folder):
            self.add(parent, Folder())
        if not (isinstance(node, Folder) and isinstance(self.nodes.get(path), Folder)):
            self.nodes[path] = node

    def remove(self, path: str) -> None:
        """Take a node away."""
        del self.nodes[path]

    def files(self) -> list[tuple[str, File]]:
        """All regular files, sorted by path."""
        return [(path, node) for path, node in sorted(self.nodes.items()) if isinstance(node, File)]

    def links(self) -> list[tuple[str, Link]]:
        """All symbolic links, sorted by path."""
        return [(path, node) for path, node in sorted(self.nodes.items()) if isinstance(node, Link)]

    def resolve(self, path: str) -> str:
        """The path that a name leads to, links followed component by component.

        What does not exist resolves to itself. Raises LabError for a loop of links.
        """
        pending = path.strip("/").split("/")
        done: list[str] = []
        steps = 0
        while pending:
            part = pending.pop(0)
            if part in ("", "."):
                continue
            if part == "..":
                done = done[:-1]
                continue
            node = self.nodes.get("/".join((*done, part)))
            if not isinstance(node, Link):
                done.append(part)
                continue
            steps += 1
            if steps > len(self.nodes):
                raise LabError(f"the links at /{path} go round in circles", phase="build")
            pending = node.target.split("/") + pending
            if node.target.startswith("/"):
                done = []
        return "/".join(done)

    def write_below(self, folder: Path) -> None:
        """Write the tree below a folder of this host; absolute links then lead within it."""
        for path, node in sorted(self.nodes.items()):
            place = folder / path
            if isinstance(node, Folder):
                place.mkdir(exist_ok=True)
            elif isinstance(node, Link):
                above = posixpath.dirname(path)
                absolute = node.target.startswith("/")
                target = posixpath.relpath(node.target, f"/{above}") if absolute else node.target
                place.symlink_to(target)
            else:
                place.write_bytes(node.content)
                place.chmod(node.mode)

    def drop_dangling_links(self, *, except_into: tuple[str, ...]) -> None:
        """Remove links to what is not in the tree, unless they lead into the folders named."""
        while True:
            dangling = [
                path
                for path, _link in self.links()
                if (target := self.resolve(path)) not in self.nodes
                and not target.startswith(except_into)
            ]
            if not dangling:
                return
            for path in dangling:
                self.remove(path)
