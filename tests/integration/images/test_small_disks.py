"""Disks that are full, read-only or out of inodes are named, and nothing half-written stays."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from xenlab.images.lab_images import LabImages

ROOT = Path(__file__).parents[3]

# Mounts a small file system in a namespace of its own, so that no root is needed, lays the answers
# and packages of another cache into it, and builds there without the network.
SCRIPT = """
import subprocess, sys
from pathlib import Path
from xenlab.errors import XenlabError
from xenlab.cli.images import images
home, cache, options, then = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", home], check=True)
(home / "xenlab").mkdir()
(home / "xenlab/packages").symlink_to((cache / "packages").resolve())
(home / "xenlab/requests").symlink_to(cache / "requests")
if then:
    subprocess.run(["mount", "-o", then, home], check=True)
try:
    images(["build", "--offline"], standalone_mode=False)
except XenlabError as error:
    print(error, "| try:", error.try_next)
    print(sorted(path.name for path in home.rglob("*.part*")))
    sys.exit(error.exit_code)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallDisk:
    """A file system, what is done to it before the build, and how the build must end."""

    options: str
    then: str = ""
    exit_code: int
    said: str


DISKS = [
    SmallDisk(options="size=90m", exit_code=6, said="MB free"),
    SmallDisk(options="size=1m", exit_code=6, said="the disk is full"),
    SmallDisk(options="size=900m,nr_inodes=9", exit_code=4, said="free some inodes"),
    SmallDisk(options="size=900m", then="remount,ro", exit_code=4, said="Read-only file system"),
]


@pytest.mark.parametrize("disk", DISKS, ids=lambda disk: disk.said)
def test_disk_that_does_not_take_an_image_is_named(
    images: LabImages, cache: Path, tmp_path: Path, disk: SmallDisk
) -> None:
    namespace = ("unshare", "--user", "--map-root-user", "--mount")
    arguments = (str(tmp_path), str(cache), disk.options, disk.then)
    built = subprocess.run(
        [*namespace, sys.executable, "-c", SCRIPT, *arguments],
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert built.returncode == disk.exit_code, built.stderr
    assert disk.said in built.stdout
    assert str(tmp_path) in built.stdout
    assert built.stdout.splitlines()[-1] == "[]"
    assert "Traceback" not in built.stderr
