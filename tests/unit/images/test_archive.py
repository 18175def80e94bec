"""Root images as a tar archive: what a kernel unpacks from cpios, a host unpacks from it."""

from __future__ import annotations

import io
import tarfile

import pytest

from xenlab.errors import LabError
from xenlab.images.archive import render_tar
from xenlab.images.cpio import write_cpio
from xenlab.images.tree import File, FileTree, Folder, Link


def render(**nodes: File | Folder | Link) -> bytes:
    tree, target = FileTree(), io.BytesIO()
    for name, node in nodes.items():
        tree.add(name, node)
    write_cpio(tree, target)
    return target.getvalue()


def test_archive_has_every_entry_and_the_later_of_two() -> None:
    first = render(init=File(content=b"old"), root=Folder(mode=0o700), sh=Link(target="ash"))
    second = render(init=File(content=b"new!", executable=True))
    with tarfile.open(fileobj=io.BytesIO(render_tar(first + second, second))) as tar:
        members = {member.name: member for member in tar}
        file = tar.extractfile("init")
        assert file is not None
        assert file.read() == b"new!"
    assert members["init"].mode == 0o755
    assert members["root"].isdir()
    assert members["root"].mode == 0o700
    assert members["sh"].issym()
    assert members["sh"].linkname == "ash"


def test_what_is_no_cpio_is_refused() -> None:
    with pytest.raises(LabError, match="no cpio entry at byte 0"):
        render_tar(b"garbage" * 40)
