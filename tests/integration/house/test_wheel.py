"""What is installed is whole: the C sources of `kernels/` come along, and are found there."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.unit.house.repository import ROOT, list_files
from xenlab.kernel.shelf import PACKAGE, list_series, shelf

FIND = "from xenlab.kernel.shelf import list_series, shelf; print(shelf(), *list_series())"


def test_installed_package_finds_the_series_that_it_brings(tmp_path: Path) -> None:
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    build = [sys.executable, "-m", "pip", "wheel", *options, "-w", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    home = tmp_path / "site-packages"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(home)

    found = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(home)!r}); {FIND}"],
        check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip

    assert found == [str(home / "xenlab/kernels"), *list_series()]
    for path in list_files("kernels"):
        assert (home / "xenlab" / path.relative_to(ROOT)).read_bytes() == path.read_bytes()


def test_checkout_has_them_beside_the_package() -> None:
    assert shelf() == PACKAGE.parent / "kernels"
    assert list_series()
