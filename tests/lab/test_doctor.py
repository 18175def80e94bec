"""The doctor tries each part of this host, and says which command mends what it lacks."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tests.lab.conftest import ROOT, Xenlab


def test_host_that_runs_labs_is_well(xenlab: Xenlab) -> None:
    document = json.loads(xenlab.succeed("doctor", "--json"))

    names = {check["name"] for check in document["checks"]}
    assert names == {
        "programs", "libvirt", "sandbox", "KVM", "memory", "packages", "labs", "hosts",
        "disk",
    }  # fmt: skip
    assert "fail" not in {check["health"] for check in document["checks"]}


def test_missing_programs_are_named_with_the_packages_that_have_them(
    xenlab: Xenlab, tmp_path: Path
) -> None:
    """A PATH of its own that has everything but QEMU and bubblewrap."""
    for folder in (*os.get_exec_path(), "/usr/sbin", "/sbin"):
        for program in Path(folder).iterdir() if Path(folder).is_dir() else ():
            if program.name not in {"bwrap", "qemu-system-x86_64"}:
                link = tmp_path / program.name
                if not link.is_symlink():
                    link.symlink_to(program)
    done = subprocess.run(
        [*xenlab.argv, "doctor"], env=xenlab.env | {"PATH": str(tmp_path)}, cwd=ROOT,
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 4, done.stderr
    assert "missing: bwrap, qemu-system-x86_64" in done.stdout
    assert "mend: apt-get install bubblewrap qemu-system-x86" in done.stdout
    assert "Traceback" not in done.stderr
