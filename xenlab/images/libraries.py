"""Shared libraries of an image: those that programs need come in, the others go."""

from __future__ import annotations

import io
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import InterpSegment

from xenlab.errors import LabError
from xenlab.images.tree import File, FileTree

# Where Debian's ld.so looks without a cache (its own `ld.so --help`), after the merge of /usr.
LIBRARY_FOLDERS = ("usr/lib/x86_64-linux-gnu", "usr/lib", "usr/lib64")

ELF_MAGIC = b"\x7fELF"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What an ELF file asks of the system: libraries by name, folders to look in, its loader."""

    libraries: tuple[str, ...]
    folders: tuple[str, ...]
    loader: str


def is_library(path: str) -> bool:
    """Whether a path is that of a shared library where ld.so looks, or of ld.so itself."""
    return posixpath.dirname(path) in LIBRARY_FOLDERS and ".so" in posixpath.basename(path)


def keep_needed_libraries(tree: FileTree, opened_by_name: tuple[str, ...]) -> None:
    """Remove the libraries that no program in the tree needs.

    Raises LabError naming each program whose library is not in the tree.
    """
    needed: set[str] = set()
    problems: list[str] = []
    pending = [path for path, _file in tree.files() if not is_library(path)]
    for name in opened_by_name:
        found = _find(tree, name, ())
        pending += [found] if found else []
        problems += [] if found else [f"{name}, named by the manifest, is in no package"]
    while pending:
        path = pending.pop()
        if path in needed:
            continue
        needed.add(path)
        for name, found in _dependencies(tree, path):
            pending += [found] if found else []
            problems += [] if found else [f"/{path} needs {name}"]
    if problems:
        raise LabError("libraries are missing: " + "; ".join(sorted(problems)), phase="build")
    for path, _file in tree.files():
        if is_library(path) and path not in needed:
            tree.remove(path)


def _dependencies(tree: FileTree, path: str) -> Iterator[tuple[str, str]]:
    """Each name that an ELF file needs and the path in the tree that has it, or nothing."""
    node = tree.nodes[path]
    if not isinstance(node, File) or not node.content.startswith(ELF_MAGIC):
        return
    needs = read_needs(node.content)
    if needs.loader:
        loader = tree.resolve(needs.loader)
        yield needs.loader, loader if loader in tree.nodes else ""
    origin = posixpath.dirname(path)
    folders = tuple(folder.replace("$ORIGIN", origin) for folder in needs.folders)
    for name in needs.libraries:
        yield name, _find(tree, name, folders)


def _find(tree: FileTree, name: str, folders: tuple[str, ...]) -> str:
    for folder in (*folders, *LIBRARY_FOLDERS):
        path = tree.resolve(f"{folder}/{name}")
        if isinstance(tree.nodes.get(path), File):
            return path
    return ""


def read_needs(content: bytes) -> Needs:
    """What the dynamic section and the program headers of an ELF file ask for."""
    loader = ""
    libraries: list[str] = []
    folders: list[str] = []
    for segment in ELFFile(io.BytesIO(content)).iter_segments():
        if isinstance(segment, InterpSegment):
            loader = segment.get_interp_name()
        elif isinstance(segment, DynamicSegment):
            # pyelftools gives a tag its text as an attribute named after the kind of the tag
            libraries += [vars(tag)["needed"] for tag in segment.iter_tags("DT_NEEDED")]
            for tag in segment.iter_tags("DT_RUNPATH"):
                folders += vars(tag)["runpath"].split(":")
    return Needs(libraries=tuple(libraries), folders=tuple(folders), loader=loader)
