"""F13: a kernel that cannot do its part is refused by the command line before anything boots."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from tests.unit.kernel.elf import EM_AARCH64, make_elf
from xenlab.debian.package import DebPackage
from xenlab.debian.supply import Answer
from xenlab.images.deb import unpack_deb
from xenlab.images.lab_images import LabImages
from xenlab.images.manifest import Role, read_manifest
from xenlab.images.tree import File, FileTree
from xenlab.kernel.packages import kernel_request
from xenlab.waiting import Deadline

ROOT = Path(__file__).parents[3]
PROGRAM = "from xenlab.cli.main import main; main()"
PACKAGE = "linux-image-odd"
RELEASE = "6.1.0-odd"
AS_DOM0 = "kernels: {odd: {package: linux-image-odd}}\ndom0: {kernel: odd}\ndomus: {alice: {}}\n"
AS_DOMU = "kernels: {odd: {package: linux-image-odd}}\ndomus: {alice: {kernel: odd}}\n"
NIC = "machine: {iommu: intel, nic: {}}\nnetworks: {lan: {backend: alice}}\n"
CONTROL = "Package: {name}\nVersion: 1\nArchitecture: amd64\nMaintainer: nobody\nDescription: odd\n"
LIMIT_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What goes into a kernel package."""

    image: bytes
    config: str
    modules: frozenset[str]


Change = Callable[[Parts], Parts]


def without(symbol: str) -> Change:
    """The kernel configured without a symbol."""

    def change(parts: Parts) -> Parts:
        lines = [line for line in parts.config.splitlines() if not line.startswith(f"{symbol}=")]
        assert len(lines) == len(parts.config.splitlines()) - 1
        return Parts(image=parts.image, config="\n".join(lines), modules=parts.modules)

    return change


def without_module(name: str) -> Change:
    """The package without one of its modules."""
    return lambda parts: Parts(
        image=parts.image, config=parts.config, modules=parts.modules - {name}
    )


def with_image(make: Callable[[bytes], bytes]) -> Change:
    """The package with another image."""
    return lambda parts: Parts(image=make(parts.image), config=parts.config, modules=parts.modules)


@pytest.fixture(scope="module")
def debian(cache: Path, images: LabImages) -> Parts:
    """Debian's own image and configuration; every module is said to be built in."""
    release = images.dom0_kernel.release
    (deb,) = (cache / "packages").glob(f"linux-image-{release}_*.deb")
    tree = FileTree()
    path = f"boot/vmlinuz-{release}"
    unpack_deb(deb, tree, path.__eq__, deadline=Deadline.after(LIMIT_S))
    image = tree.nodes[path]
    assert isinstance(image, File)
    required = {name for role in Role for name in read_manifest(role).modules.required}
    return Parts(
        image=image.content,
        config=images.dom0_kernel.config.read_text(),
        modules=frozenset(required),
    )


def make_deb(parts: Parts, folder: Path) -> Path:
    """A kernel package laid out as Debian's are."""
    files = {
        "DEBIAN/control": CONTROL.format(name=PACKAGE).encode(),
        f"boot/vmlinuz-{RELEASE}": parts.image,
        f"boot/config-{RELEASE}": parts.config.encode(),
        f"lib/modules/{RELEASE}/modules.builtin": "".join(
            f"kernel/{name}.ko\n" for name in sorted(parts.modules)
        ).encode(),
        f"lib/modules/{RELEASE}/modules.order": b"",
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    deb = folder.with_suffix(".deb")
    subprocess.run(
        ["dpkg-deb", "-Znone", "--root-owner-group", "--build", folder, deb],
        check=True, capture_output=True,
    )  # fmt: skip
    return deb


def run_with_kernel(
    deb: Path, topology: str, cache: Path, home: Path, *words: str
) -> subprocess.CompletedProcess[str]:
    """Run a command where the archive's answer to `linux-image-odd` was this package."""
    ours = home / "cache" / "xenlab"
    shutil.copytree(cache / "requests", ours / "requests")
    (ours / "images").symlink_to(cache / "images")
    content = deb.read_bytes()
    package = DebPackage(
        name=PACKAGE, version="1", architecture="amd64", size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )  # fmt: skip
    (ours / "packages").mkdir()
    (ours / "packages" / package.file_name).write_bytes(content)
    request = kernel_request("bookworm", PACKAGE)
    answer = Answer(request=request, packages=(package,))
    (ours / "requests" / request.file_name).write_text(json.dumps(asdict(answer)))
    (home / "odd.yaml").write_text(topology)
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *words, "./odd.yaml", "--offline"],
        env={
            **os.environ, "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_STATE_HOME": str(home / "state"), "PYTHONPATH": str(ROOT),
        },
        cwd=home, capture_output=True, text=True, check=False, timeout=LIMIT_S,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfit:
    """A kernel package with something wrong, the lab that wants it, and what has to be said."""

    change: Change
    topology: str
    said: str


UNFIT = [
    Unfit(
        change=without("CONFIG_XEN_NETDEV_BACKEND"), topology=AS_DOM0,
        said=f"kernel odd: Linux {RELEASE} cannot be dom0: lacks CONFIG_XEN_NETDEV_BACKEND\n",
    ),
    Unfit(
        change=without("CONFIG_XEN_NETDEV_FRONTEND"), topology=AS_DOMU,
        said=f"kernel odd: Linux {RELEASE} cannot be pv: lacks CONFIG_XEN_NETDEV_FRONTEND\n",
    ),
    Unfit(
        change=without("CONFIG_XEN_PVH"), topology=AS_DOMU.replace("{kernel", "{type: pvh, kernel"),
        said=f"kernel odd: Linux {RELEASE} cannot be pvh: lacks CONFIG_XEN_PVH\n",
    ),
    Unfit(
        change=without("CONFIG_XEN_PCIDEV_BACKEND"), topology=NIC + AS_DOM0,
        said=f"kernel odd: Linux {RELEASE} cannot be nic-giver: lacks CONFIG_XEN_PCIDEV_BACKEND\n",
    ),
    Unfit(
        change=without("CONFIG_XEN_PCIDEV_FRONTEND"), topology=NIC + AS_DOMU,
        said=f"kernel odd: Linux {RELEASE} cannot be nic-taker: lacks CONFIG_XEN_PCIDEV_FRONTEND\n",
    ),
    Unfit(
        change=without_module("xen-netback"), topology=AS_DOM0,
        said=f"kernel odd: Linux {RELEASE} cannot be dom0: has no module xen_netback\n",
    ),
    Unfit(
        change=with_image(lambda image: image[: len(image) // 2]), topology=AS_DOM0,
        said=f"boot/vmlinuz-{RELEASE}: cut short",
    ),
    Unfit(
        change=with_image(lambda _image: make_elf(machine=EM_AARCH64, loads=[b"text"])),
        topology=AS_DOM0, said=f"boot/vmlinuz-{RELEASE}: built for EM_AARCH64, not for EM_X86_64",
    ),
    Unfit(
        change=with_image(lambda _image: make_elf(loads=[b"text"])), topology=AS_DOMU,
        said="cannot be pv: no Xen ELF note with an entry point for pv",
    ),
]  # fmt: skip


@pytest.mark.parametrize("unfit", UNFIT, ids=lambda unfit: unfit.said.partition(": ")[2].strip())
def test_kernel_that_cannot_do_its_part_is_refused_and_nothing_is_begun(
    debian: Parts, cache: Path, tmp_path: Path, unfit: Unfit
) -> None:
    deb = make_deb(unfit.change(debian), tmp_path / "deb")

    refused = run_with_kernel(deb, unfit.topology, cache, tmp_path, "up")

    assert refused.returncode == 2, refused.stderr
    assert unfit.said in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "state/xenlab/labs/odd").exists()
    assert not (tmp_path / "state/xenlab/failures").exists()


def test_kernel_without_netback_may_be_that_of_a_domu(
    debian: Parts, cache: Path, tmp_path: Path
) -> None:
    change = without("CONFIG_XEN_NETDEV_BACKEND")
    deb = make_deb(without_module("xen-netback")(change(debian)), tmp_path / "deb")

    built = run_with_kernel(deb, AS_DOMU, cache, tmp_path, "images", "build")

    assert built.returncode == 0, built.stderr
    assert RELEASE in built.stdout
