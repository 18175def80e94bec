"""The images of the default lab, from Debian's archive: small, whole, and the same every time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest

from xenlab.images.lab_images import LabImages, provide_images
from xenlab.images.manifest import Role
from xenlab.kernel.bzimage import is_bzimage
from xenlab.kernel.config import KernelConfig
from xenlab.kernel.notes import read_notes
from xenlab.kernel.preflight import NEEDED_BY_PART, find_obstacles
from xenlab.plan.model import LabPlan
from xenlab.waiting import Deadline

CLI = "from xenlab.cli.images import images; images()"
ROOT = Path(__file__).parents[3]

# What an emulated CPU unpacks at each boot; the bounds keep it from growing unseen.
LARGEST_ROOT_MB = {Role.DOM0: 35, Role.DOMU: 30}
LONGEST_CACHED_S = 1.0

PROGRAMS = [
    ("dom0", ("/usr/sbin/ip", "-V"), "iproute2"),
    ("dom0", ("/usr/sbin/tc", "-V"), "iproute2"),
    ("dom0", ("/usr/sbin/bridge", "-V"), "bridge"),
    ("dom0", ("/usr/sbin/nft", "--version"), "nftables"),
    ("dom0", ("/usr/sbin/ethtool", "--version"), "ethtool"),
    ("dom0", ("/usr/sbin/dropbear", "-V"), "Dropbear"),
    ("dom0", ("/usr/bin/tcpdump", "--version"), "libpcap"),
    ("dom0", ("/usr/bin/iperf3", "--version"), "iperf"),
    ("dom0", ("/usr/sbin/modprobe", "--version"), "kmod"),
    ("dom0", ("/usr/sbin/xl", "list"), "libxl: error"),  # all libraries load; there is no Xen here
    ("dom0", ("/usr/sbin/xenstored", "--help"), "pid-file"),
    ("dom0", ("/usr/bin/xenstore-read", "-h"), "Usage"),
    ("dom0", ("/bin/sh", "-c", "echo shell"), "shell"),
    ("domu", ("/usr/sbin/ip", "-V"), "iproute2"),
    ("domu", ("/usr/sbin/ethtool", "--version"), "ethtool"),
    ("domu", ("/usr/sbin/dropbear", "-V"), "Dropbear"),
    ("domu", ("/usr/bin/iperf3", "--version"), "iperf"),
    ("domu", ("/usr/sbin/insmod", "--version"), "kmod"),
    ("domu", ("/bin/sh", "-c", "echo shell"), "shell"),
]


def unpack(folder: Path, *cpios: Path) -> Path:
    """Unpack cpios one after the other with GNU cpio, as Linux does at boot."""
    for cpio in cpios:
        subprocess.run(
            ["cpio", "-idm", "--quiet", "--no-absolute-filenames"],
            input=cpio.read_bytes(),
            cwd=folder,
            check=True,
        )
    return folder


@pytest.fixture(scope="module")
def roots(images: LabImages, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each root with its kernel's modules, unpacked."""
    kernel = images.dom0_kernel
    return {
        "dom0": unpack(tmp_path_factory.mktemp("dom0"), images.root_dom0, kernel.modules_dom0),
        "domu": unpack(tmp_path_factory.mktemp("domu"), images.root_domu, kernel.modules_domu),
    }


def build_by_command(
    cache_home: Path, *prefix: str, words: tuple[str, ...] = ("build",)
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*prefix, sys.executable, "-c", CLI, *words],
        env={**os.environ, "XDG_CACHE_HOME": str(cache_home), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def hash_images(cache: Path) -> dict[str, str]:
    return {
        str(path.relative_to(cache)): sha256(path.read_bytes()).hexdigest()
        for path in sorted((cache / "images").glob("*/*"))
        if path.suffix != ".json" and path.parent.name != "locks"
    }


@pytest.mark.parametrize(("role", "argv", "said"), PROGRAMS)
def test_program_runs_inside_the_root(
    roots: dict[str, Path], role: str, argv: tuple[str, ...], said: str
) -> None:
    sandbox = ("bwrap", "--bind", str(roots[role]), "/", "--dev", "/dev", "--proc", "/proc")
    ran = subprocess.run([*sandbox, *argv], capture_output=True, text=True, check=False)

    assert said in ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("role", "module"), [("dom0", "xen-netback"), ("domu", "xen-netfront"), ("dom0", "nf_tables")]
)
def test_modprobe_finds_a_module_and_what_it_needs(
    roots: dict[str, Path], images: LabImages, role: str, module: str
) -> None:
    listed = subprocess.run(
        ["modprobe", "-d", roots[role], "-S", images.dom0_kernel.release, "-D", module],
        env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )

    steps = [line.split()[1] for line in listed.stdout.splitlines() if line.startswith("insmod")]
    assert Path(steps[-1]).name == f"{module}.ko"
    assert all(Path(step).is_file() for step in steps)


@pytest.mark.parametrize("role", Role)
def test_root_is_small_and_its_usr_is_merged(
    roots: dict[str, Path], images: LabImages, role: Role
) -> None:
    path = images.root_dom0 if role is Role.DOM0 else images.root_domu

    assert path.stat().st_size / 1e6 < LARGEST_ROOT_MB[role]
    assert (roots[role] / "lib").readlink() == Path("usr/lib")
    assert (roots[role] / "var/run").readlink() == Path("/run")
    assert os.access(roots[role] / "init", os.X_OK)


def test_kernel_can_be_dom0_and_domu_of_each_kind(images: LabImages) -> None:
    for kernel in (images.dom0_kernel, *images.domu_kernels.values()):
        config = KernelConfig.parse(kernel.config.read_text())
        notes = read_notes(kernel.vmlinux.read_bytes(), str(kernel.vmlinux))
        assert kernel.bzimage
        assert is_bzimage(kernel.bzimage.read_bytes())
        for part in NEEDED_BY_PART:
            assert find_obstacles(part, config, notes, is_bzimage=True) == ()
    assert len(bytes.fromhex(images.dom0_kernel.build_id)) == 20


def test_xen_is_the_32_bit_elf_that_multiboot_takes(images: LabImages) -> None:
    assert images.xen.read_bytes()[:5] == b"\x7fELF\x01"


def test_second_time_runs_no_apt_and_is_quick(
    plan: LabPlan,
    cache: Path,
    images: LabImages,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("apt-get", "apt-cache", "apt-config", "dpkg-deb", "gcc"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 99\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    started_s = time.monotonic()
    again = provide_images(plan, cache, report=print, offline=False, deadline=Deadline.after(10))

    assert time.monotonic() - started_s < LONGEST_CACHED_S
    assert again == images


def test_ordinary_user_builds_the_same_bytes(
    images: LabImages, cache: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    (home / "xenlab").mkdir(parents=True)
    (home / "xenlab/packages").symlink_to((cache / "packages").resolve())

    built = build_by_command(home, "unshare", "--user", "--map-user=1000")

    assert built.returncode == 0, built.stderr
    assert hash_images(home / "xenlab") == hash_images(cache)


def test_damaged_image_is_built_again_from_the_packages(
    plan: LabPlan, images: LabImages, cache: Path
) -> None:
    before = hash_images(cache)
    os.truncate(images.root_domu, images.root_domu.stat().st_size - 4096)

    again = provide_images(plan, cache, report=print, offline=False, deadline=Deadline.after(100))

    assert again == images
    assert hash_images(cache).items() >= before.items()
