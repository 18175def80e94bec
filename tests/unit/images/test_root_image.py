"""A root image has all its manifest asks for, and takes files as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from xenlab.errors import LabError
from xenlab.images.manifest import parse_manifest
from xenlab.images.root_image import add_folder, build_root
from xenlab.images.tree import File, FileTree
from xenlab.waiting import Deadline

MANIFEST = parse_manifest(
    """
packages: [kmod]
without: []
keep: [usr/bin/kmod, usr/sbin/modprobe]
modules: {required: []}
"""
)


def test_everything_that_no_package_has_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="to be kept: usr/bin/kmod, usr/sbin/modprobe"):
        build_root(MANIFEST, [], [], [], tmp_path, Deadline.after(1))


@pytest.mark.parametrize(("mode", "executable"), [(0o700, True), (0o755, True), (0o600, False)])
def test_only_the_executable_bit_comes_from_the_disk(
    tmp_path: Path, mode: int, executable: bool
) -> None:
    (tmp_path / "sbin").mkdir()
    (tmp_path / "sbin/vif").write_bytes(b"#!/bin/sh\n")
    (tmp_path / "sbin/vif").chmod(mode)
    tree = FileTree()

    add_folder(tree, tmp_path)

    assert tree.nodes["usr/sbin/vif"] == File(content=b"#!/bin/sh\n", executable=executable)


def test_later_folder_lies_over_an_earlier_one(tmp_path: Path) -> None:
    tree = FileTree()
    for name in ("common", "dom0"):
        (tmp_path / name / "etc").mkdir(parents=True)
        (tmp_path / name / "etc/hosts").write_text(name)
        add_folder(tree, tmp_path / name)

    assert tree.nodes["etc/hosts"] == File(content=b"dom0")
