"""A small sweep: cells that pass, of two kernels, beside one whose kernel cannot be booted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.lab.conftest import Xenlab
from xenlab.images.deb import unpack_deb
from xenlab.images.tree import File, FileTree
from xenlab.registry.places import cache_dir
from xenlab.waiting import Deadline

LIMIT_S = 120.0
KERNEL = "debian"
NEWER = "trixie"  # of the last release: that of sid is another one each week


@pytest.fixture(scope="module")
def cut_kernel(xenlab: Xenlab, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Half of the image that Debian ships, and a folder of modules, as one word."""
    xenlab.succeed("images", "build")
    folder = tmp_path_factory.mktemp("cut")
    packages = (cache_dir() / "packages").glob("linux-image-6.1.*.deb")
    deb = max(packages, key=lambda path: path.stat().st_size)
    tree = FileTree()
    unpack_deb(
        deb, tree, lambda path: path.startswith("boot/vmlinuz-"), deadline=Deadline.after(LIMIT_S)
    )
    ((path, packed),) = tree.files()
    assert isinstance(packed, File)
    image = folder / "bzImage"
    image.write_bytes(packed.content[: len(packed.content) // 2])
    modules = folder / path.partition("vmlinuz-")[2]
    modules.mkdir()
    (modules / "modules.builtin").write_bytes(b"")
    return f"{image}:{modules}"


def test_cells_that_pass_stand_beside_one_that_cannot_boot_and_says_why(
    xenlab: Xenlab, cut_kernel: str, tmp_path: Path
) -> None:
    document = tmp_path / "sweep.json"
    words = ("--dom0-kernels", KERNEL, "--domu-kernels", f"{cut_kernel},{KERNEL},{NEWER}")

    done = xenlab.run("sweep", "--xens", "bookworm", *words, "--json", str(document))

    said, told = done.stdout.decode(), json.loads(document.read_text())
    assert done.returncode == told["exit_code"] == 7, said
    cut, whole, newer = told["cells"]
    assert (cut["domu_kernel"], cut["outcome"], cut["cannot"]) == (cut_kernel, "INCONCLUSIVE", True)
    (reason,) = cut["reasons"]
    assert "cut short" in reason
    assert (whole["domu_kernel"], whole["outcome"], whole["reasons"]) == (KERNEL, "PASS", [])
    assert (newer["domu_kernel"], newer["outcome"], newer["reasons"]) == (NEWER, "PASS", [])
    assert whole["xen_version"].startswith("4.17")
    assert f"Xen of bookworm ({whole['xen_version']})" in said
    assert "PASS " in said
    assert reason in said
    assert said.splitlines()[-1].startswith("INCONCLUSIVE: 3 of 3 combinations, 2 PASS, 1 cannot")

    page = Path(xenlab.succeed("report").strip()).read_text()
    assert '<td class="heat outcome-PASS">' in page
    assert "cut short" in page
    assert "sweep-" not in xenlab.succeed("status")


def test_interrupted_sweep_leaves_nothing_and_shows_what_it_has(
    xenlab: Xenlab, tmp_path: Path
) -> None:
    words = ("--xens", "bookworm", "--kernels", KERNEL, "--json", str(tmp_path / "sweep.json"))
    running = xenlab.start("sweep", *words)
    assert running.stderr is not None
    for line in running.stderr:
        if b"test_smoke.py::" in line:
            break
    running.terminate()
    said = running.communicate(timeout=LIMIT_S)[0].decode()

    assert running.returncode == 128 + 15
    assert "INCONCLUSIVE: 0 of 1 combination" in said
    assert json.loads((tmp_path / "sweep.json").read_text())["complete"] is False
    assert "sweep-" not in xenlab.succeed("status")
    assert not Path(f"/proc/{running.pid}").exists()
