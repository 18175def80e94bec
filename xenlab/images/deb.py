"""The files inside a `.deb`, read as a stream that never touches the disk."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

from xenlab.errors import LabError
from xenlab.images.tree import File, FileTree, Folder, Link, merged_path
from xenlab.transport.process import run
from xenlab.waiting import Deadline

EXECUTE_BY_OWNER = 0o100


def unpack_deb(
    deb: Path, tree: FileTree, wanted: Callable[[str], bool], *, deadline: Deadline
) -> None:
    """Add those files and links of the package to the tree that are wanted, by merged path.

    Hard links become files of their own; owners, set-uid bits and dates are left behind. Raises
    LabError for a path that leads out of the tree and for a device node.
    """
    argv = ("dpkg-deb", "--fsys-tarfile", str(deb))
    packed = run(argv, deadline=deadline).require_success().stdout
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:") as archive:
        for member in archive:
            path = merged_path(member.name)
            if not member.isdir() and wanted(path):
                tree.add(path, _read_member(archive, member, deb))


def _read_member(
    archive: tarfile.TarFile, member: tarfile.TarInfo, deb: Path
) -> File | Folder | Link:
    if member.issym():
        return Link(target=member.linkname)
    file = archive.extractfile(member) if member.isreg() or member.islnk() else None
    if file is None:
        raise LabError(f"{deb.name}: {member.name} is neither file nor link", phase="build")
    return File(content=file.read(), executable=bool(member.mode & EXECUTE_BY_OWNER))
