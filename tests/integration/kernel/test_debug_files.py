"""A crash outside the drivers is told with its lines: by the vmlinux of a kernel that has them."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pytest

from tests.integration.kernel.small_tree import commit, make_tree
from tests.integration.kernel.test_decoding import extent
from tests.unit.kernel.elf import pack_note
from tests.unit.life.test_kernel_proof import make_plan, make_record
from xenlab.errors import KernelFault
from xenlab.images.kernel_image import kernel_files
from xenlab.images.lab_images import ImageBuilder, LabImages
from xenlab.images.manifest import Role, read_manifest
from xenlab.kernel.built import BuiltKernel
from xenlab.kernel.choice import KernelShop
from xenlab.kernel.debug_info import read_debugged_build
from xenlab.kernel.decoding import decode_trace
from xenlab.kernel.driver import Driver, DriverKind
from xenlab.kernel.files import KernelFiles
from xenlab.kernel.module_file import ModuleFile
from xenlab.kernel.provider import KernelProvider
from xenlab.kernel.ready import ReadyKernel
from xenlab.kernel.workshop import Workshop
from xenlab.life.drivers import NO_DRIVERS, Drivers, list_debug_files
from xenlab.plan.model import KernelOrigin
from xenlab.traffic.coroner import Coroner
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.vigil import Vigil
from xenlab.verdict.console import scan_console
from xenlab.verdict.console_fault import ConsoleFault
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict
from xenlab.waiting import Deadline

NETFRONT_C = """\
#include <linux/skbuff.h>
int front(int *at)
{
	return *at;
}
__attribute__((section(".modinfo"), used)) static const char info[] =
	"name=xen_netfront\\0vermagic=9.9.0-xenlab SMP";
"""
BUILT = "$(out)/drivers/net/xen-netfront"
LINK = f"\t@ld -r --build-id=sha1 -o {BUILT}.ko {BUILT}.o\n"
TOUCH = "\t@touch $(out)/Module.symvers\n"
INSTALL = "\t@touch $(INSTALL_MOD_PATH)/lib/modules/$(release)/modules.order\n"
STRIPPED = "$(INSTALL_MOD_PATH)/lib/modules/$(release)/kernel/drivers/net"
STRIP = f"\t@mkdir -p {STRIPPED}\n\t@strip --strip-debug -o {STRIPPED}/xen-netfront.ko {BUILT}.ko\n"
ORIGIN = KernelOrigin(tree="/linux")


def make_built(workshop: Workshop, folder: Path, flags: str) -> BuiltKernel:
    """A kernel of a few lines with netfront, compiled with these flags too."""
    tree = make_tree(folder / "linux")
    makefile = tree / "Makefile"
    text = makefile.read_text().replace("-ffreestanding", f"-ffreestanding {flags}")
    text = text.replace(TOUCH, TOUCH + LINK).replace(INSTALL, INSTALL + STRIP)
    makefile.write_text(text)
    (tree / "drivers/net/xen-netfront.c").write_text(NETFRONT_C)
    commit(tree)
    store = replace(workshop.store, folder=folder / "cache/images")
    shop: KernelShop = replace(workshop.shop, store=store, cache=folder / "cache")
    return shop.built(KernelOrigin(tree=str(tree)))


def read_files(workshop: Workshop, folder: Path, provider: KernelProvider) -> KernelFiles:
    """What a lab gets of the kernel."""
    builder = ImageBuilder(
        supply=workshop.shop.supply,
        store=replace(workshop.store, folder=folder / "cache/images"),
        manifests={role: read_manifest(role) for role in Role},
        shop=workshop.shop,
    )
    return kernel_files(builder.provide_kernel_of(provider), provider)


def find_debug_files(
    files: KernelFiles, node: str, drivers: Drivers = NO_DRIVERS
) -> dict[str, Path]:
    """What the record of a lab whose nodes all boot that kernel has of a node."""
    plan = make_plan(ORIGIN, "pair")
    nowhere = Path("/nowhere")
    images = LabImages(
        xen=nowhere, root_dom0=nowhere, root_domu=nowhere, dom0_kernel=files, domu_kernels={},
        digest="",
    )  # fmt: skip
    record = make_record(plan)
    debug_files = list_debug_files(plan, images, drivers)
    return replace(record, debug_files=debug_files).debug_files_of(node)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("debugged")


@pytest.fixture(scope="module")
def built(workshop: Workshop, folder: Path) -> BuiltKernel:
    """One with debug info."""
    return make_built(workshop, folder, "-g -O0")


@pytest.fixture(scope="module")
def files(workshop: Workshop, folder: Path, built: BuiltKernel) -> KernelFiles:
    return read_files(workshop, folder, built)


@pytest.fixture
def ready(built: BuiltKernel, tmp_path: Path) -> ReadyKernel:
    """The same kernel, as somebody else built and installed it."""
    entry, tree = built.provide(), tmp_path / "tree"
    modules = shutil.copytree(entry.path("lib/modules/9.9.0-xenlab"), tmp_path / "9.9.0-xenlab")
    image = tmp_path / "vmlinuz"
    subprocess.run(["strip", "-o", image, entry.path("vmlinux")], check=True)
    (tree / "drivers/net").mkdir(parents=True)
    (tree / "Module.symvers").write_text("")
    shutil.copy(entry.path("vmlinux"), tree)
    shutil.copy(entry.path("unstripped/xen-netfront.ko"), tree / "drivers/net")
    return ReadyKernel(
        image=image, modules=modules, config=None, build=tree, deadline=Deadline.after(30.0)
    )


def decode(files: dict[str, Path], *lines: str) -> tuple[str, ...]:
    return decode_trace(lines, files, Deadline.after(30.0))


@pytest.mark.parametrize("node", ["dom0", "alice", "bob"])
def test_trace_of_a_kernel_built_here_is_decoded_in_every_node_that_boots_it(
    files: KernelFiles, node: str
) -> None:
    known = find_debug_files(files, node)
    size = extent(known["vmlinux"], "skb_limit")
    in_front = extent_of_only(known["xen_netfront"], "front")

    assert decode(
        known,
        f"RIP: e030:skb_limit+0x0/{size:#x}",
        f" front+0x1/{in_front:#x} [xen_netfront]",
        " do_init_module+0x4a/0x1f0",
    ) == (
        f"RIP: e030:skb_limit+0x0/{size:#x}",
        "    at net/core/skbuff.c:3",
        f" front+0x1/{in_front:#x} [xen_netfront]",
        "    at drivers/net/xen-netfront.c:3",
        " do_init_module+0x4a/0x1f0",
    )


@dataclass(frozen=True)
class Scene:
    """A lab in which alice crashed, and its consoles; of no other use any more."""

    crash: ConsoleFault
    known: dict[str, Path]

    def debug_files(self, node: str) -> dict[str, Path]:
        assert node == "alice"
        return self.known

    def forsake(self, node: str, fault: KernelFault) -> None:
        assert (node, fault.node) == ("alice", "alice")

    def take_crashes(self) -> tuple[ConsoleFault, ...]:
        return (self.crash,)

    def take_refused_dma(self) -> tuple[()]:
        return ()


def examine(files: KernelFiles) -> Verdict:
    """The verdict of a crash of alice in net/core."""
    known = find_debug_files(files, "alice")
    size = extent(known["vmlinux"], "skb_limit")
    log = (
        "[    1.000000] BUG: kernel NULL pointer dereference, address: 0000000000000010\n"
        f"[    1.000000] RIP: e030:skb_limit+0x0/{size:#x}\n"
        "[    1.000000] ---[ end trace 0000000000000000 ]---\n"
    )
    (crash,) = scan_console("alice", log.encode())
    scene = Scene(crash, known)
    coroner = Coroner(lab=cast(LabHandle, scene), vigil=cast(Vigil, scene))
    (verdict,) = coroner.examine("test", None)
    return verdict


def test_verdict_of_a_crash_names_the_lines(files: KernelFiles) -> None:
    verdict = examine(files)

    assert verdict.outcome is Outcome.CRASH
    assert "skb_limit at net/core/skbuff.c:3" in verdict.reasons


def test_crash_stays_one_where_it_cannot_be_decoded(
    files: KernelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "addr2line"
    broken.write_text("#!/bin/sh\necho no DWARF here >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    verdict = examine(files)

    assert verdict.outcome is Outcome.CRASH
    assert any("not decoded" in each and "no DWARF here" in each for each in verdict.reasons)


def extent_of_only(path: Path, function: str) -> int:
    """The size of a file's last function, as far as the kernel's symbols tell."""
    told = subprocess.run(["nm", "-S", path], check=True, capture_output=True, text=True).stdout
    (line,) = [line for line in told.splitlines() if line.endswith(f" T {function}")]
    return int(line.split()[1], 16)


def test_its_debug_files_are_of_the_very_build_that_is_booted(
    files: KernelFiles, built: BuiltKernel
) -> None:
    known = find_debug_files(files, "alice")

    assert read_debugged_build(known["vmlinux"]) == files.build_id
    installed = built.provide().path("lib/modules/9.9.0-xenlab/kernel/drivers/net/xen-netfront.ko")
    assert read_debugged_build(installed) == ""
    assert read_debugged_build(known["xen_netfront"]) == ModuleFile.read(installed).build_id
    assert built.find_debug_files("00" * 20) == {}


def test_driver_under_test_stands_in_the_place_of_the_kernels_own(
    files: KernelFiles, tmp_path: Path
) -> None:
    own = ModuleFile(path=tmp_path / "mine.ko", name="xen_netfront", release="9.9", build_id="aa")
    tested = Driver(kind=DriverKind.NETFRONT, name="mine", build_id="aa", file=own)

    assert set(find_debug_files(files, "alice", {"alice": tested})) == {"vmlinux"}
    assert set(find_debug_files(files, "bob", {"alice": tested})) == {"vmlinux", "xen_netfront"}
    own.debug_path.write_bytes(b"")
    known = find_debug_files(files, "alice", {"alice": tested})
    assert known["xen_netfront"] == own.debug_path


def test_kernel_without_debug_info_has_no_debug_files(workshop: Workshop, tmp_path: Path) -> None:
    kernel = make_built(workshop, tmp_path, "")

    assert read_files(workshop, tmp_path, kernel).debug_files == ()
    assert not kernel.provide().path("unstripped").exists()


def test_kernel_that_was_built_here_and_pruned_is_not_built_again_for_it(
    workshop: Workshop, tmp_path: Path
) -> None:
    kernel = make_built(workshop, tmp_path, "-g")
    assert read_files(workshop, tmp_path, kernel).debug_files
    shutil.rmtree(kernel.provide().folder)

    assert read_files(workshop, tmp_path, kernel).debug_files == ()
    assert not list((tmp_path / "cache/images").glob("built-kernel-*"))


def test_tree_of_a_kernel_that_came_ready_has_its_debug_info(
    ready: ReadyKernel, files: KernelFiles
) -> None:
    assert ready.build is not None
    assert ready.find_debug_files(files.build_id) == {
        "vmlinux": ready.build / "vmlinux",
        "xen_netfront": ready.build / "drivers/net/xen-netfront.ko",
    }


def test_image_and_modules_that_have_it_themselves_need_no_tree(
    ready: ReadyKernel, files: KernelFiles
) -> None:
    assert ready.build is not None
    image = ready.build / "vmlinux"
    netfront = ready.modules / "kernel/drivers/net/xen-netfront.ko"
    shutil.copy(ready.build / "drivers/net/xen-netfront.ko", netfront)

    assert replace(ready, image=image, build=None).find_debug_files(files.build_id) == {
        "vmlinux": image, "xen_netfront": netfront,
    }  # fmt: skip
    assert replace(ready, build=None).find_debug_files(files.build_id) == {"xen_netfront": netfront}


def test_tree_that_was_built_again_since_is_of_another_build(
    ready: ReadyKernel, files: KernelFiles, tmp_path: Path
) -> None:
    assert ready.build is not None
    netfront = ready.build / "drivers/net/xen-netfront.ko"
    note = tmp_path / "note"
    note.write_bytes(pack_note("GNU", 3, bytes(20)))
    argv = ["objcopy", "--update-section", f".note.gnu.build-id={note}", str(netfront)]
    subprocess.run(argv, check=True)

    assert set(ready.find_debug_files(files.build_id)) == {"vmlinux"}
    assert ready.find_debug_files("00" * 20) == {}
