"""The Vagrantfile is valid for the libvirt provider, and a wrong one is refused."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.unit.house.repository import ROOT


def validate(folder: Path, scratch: Path) -> subprocess.CompletedProcess[str]:
    """Run `vagrant validate` on the Vagrantfile of a folder; all it writes goes to `scratch`."""
    env = os.environ | {
        "VAGRANT_CWD": str(folder),
        "VAGRANT_DEFAULT_PROVIDER": "libvirt",
        "VAGRANT_DOTFILE_PATH": str(scratch / "dotfile"),
        "VAGRANT_HOME": str(scratch / "home"),
    }
    return subprocess.run(
        ["vagrant", "validate"], env=env, capture_output=True, text=True, check=False
    )


def test_vagrantfile_is_valid(tmp_path: Path) -> None:
    validated = validate(ROOT, tmp_path)

    assert validated.returncode == 0, validated.stdout + validated.stderr


def test_vagrantfile_with_an_unknown_libvirt_setting_is_refused(tmp_path: Path) -> None:
    text = (ROOT / "Vagrantfile").read_text(encoding="utf-8")
    (tmp_path / "Vagrantfile").write_text(text.replace("libvirt.nested", "libvirt.netsed"))

    assert validate(tmp_path, tmp_path).returncode != 0
