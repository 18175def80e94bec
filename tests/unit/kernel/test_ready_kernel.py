"""ReadyKernel: an image that somebody built, and what is said about one that is not whole."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.kernel.elf import make_elf
from xenlab.errors import InputError
from xenlab.kernel.driver_source import DriverSource, lay_out
from xenlab.kernel.headers import KernelHeaders
from xenlab.kernel.patch_series import PatchSeries
from xenlab.kernel.ready import ReadyKernel
from xenlab.waiting import Deadline

RELEASE = "6.9.0-mine"
BANNER = f"Linux version {RELEASE} (me@here) ".encode()
FRONT, BACK = "drivers/net/xen-netfront.c", "drivers/net/xen-netback/netback.c"
NETIF = "include/xen/interface/io/netif.h"
PACKED = b"IKCFG_ST" + gzip.compress(b"CONFIG_FROM_IMAGE=y\n") + b"IKCFG_ED"


def make_kernel(folder: Path, image: bytes, release: str = RELEASE) -> ReadyKernel:
    """An image and a modules folder."""
    modules = folder / "lib/modules" / release
    modules.mkdir(parents=True)
    (modules / "modules.builtin").write_text("")
    (folder / "bzImage").write_bytes(image)
    return ReadyKernel(
        image=folder / "bzImage", modules=modules, config=None, build=None,
        deadline=Deadline.after(10.0),
    )  # fmt: skip


def unpack_config(kernel: ReadyKernel, scratch: Path) -> str:
    scratch.mkdir(exist_ok=True)
    return kernel.unpack(scratch).config


def test_configuration_is_that_of_the_image_unless_another_is_named(tmp_path: Path) -> None:
    kernel = make_kernel(tmp_path, make_elf(loads=[BANNER + PACKED]))
    beside, named = kernel.modules / "config", tmp_path / "named"
    beside.write_text("CONFIG_BESIDE=y\n")
    named.write_text("CONFIG_NAMED=y\n")

    assert unpack_config(kernel, tmp_path / "s") == "CONFIG_FROM_IMAGE=y\n"
    assert unpack_config(replace(kernel, config=named), tmp_path / "s") == "CONFIG_NAMED=y\n"


def test_configuration_beside_is_taken_for_an_image_that_has_none(tmp_path: Path) -> None:
    kernel = make_kernel(tmp_path, make_elf(loads=[BANNER]))
    (tmp_path / f"config-{RELEASE}").write_text("CONFIG_BESIDE=y\n")

    assert unpack_config(kernel, tmp_path / "s") == "CONFIG_BESIDE=y\n"


@pytest.mark.parametrize(
    ("image", "told"),
    [
        (make_elf(loads=[BANNER]), "its configuration is neither in it"),
        (make_elf(loads=[BANNER.replace(b"mine", b"yours") + PACKED]), "is Linux 6.9.0-yours"),
        (bytes(56) + b"ARM\x64" + bytes(600), "built for arm64"),
        (b"#!/bin/sh\n", "neither an x86 bzImage nor an ELF kernel"),
    ],
)
def test_image_that_is_no_kernel_of_its_modules_is_refused(
    tmp_path: Path, image: bytes, told: str
) -> None:
    kernel = make_kernel(tmp_path, image)

    with pytest.raises(InputError, match=told) as raised:
        unpack_config(kernel, tmp_path / "s")

    assert str(kernel.image) in raised.value.problems[0]


def test_every_path_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    kernel = make_kernel(tmp_path, b"")
    none = tmp_path / "none"

    with pytest.raises(InputError) as raised:
        replace(kernel, image=none, modules=none, config=none, build=none)

    assert len(raised.value.problems) == 4


def test_another_image_or_module_is_another_kernel(tmp_path: Path) -> None:
    kernel = make_kernel(tmp_path, make_elf(loads=[BANNER + PACKED]))
    before = kernel.inputs
    assert kernel.inputs == before

    (kernel.modules / "x.ko").write_bytes(b"module")
    with_module = kernel.inputs
    kernel.image.write_bytes(make_elf(loads=[BANNER + PACKED + b"more"]))

    assert with_module != before
    assert kernel.inputs != with_module


def make_tree(folder: Path) -> Path:
    """A source with the two drivers and one of Xen's headers, with a file that make left."""
    for name in (FRONT, BACK, NETIF, BACK.replace(".c", ".o")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def make_built(tree: Path) -> None:
    tree.mkdir(parents=True, exist_ok=True)
    (tree / ".config").write_text("CONFIG_GCC_VERSION=120200\n")
    (tree / "Module.symvers").write_text("")


@pytest.mark.parametrize("apart", [False, True])
def test_edit_of_a_driver_or_a_header_of_xen_since_the_build_makes_another_module(
    tmp_path: Path, *, apart: bool
) -> None:
    kernel = make_kernel(tmp_path, b"")
    tree = make_tree(tmp_path / "linux")
    build = kernel.modules / "build"
    if apart:
        make_built(build)
        (build / "source").symlink_to(tree)
    else:
        make_built(tree)
        build.symlink_to(tree)
    keys = [kernel.headers_key]
    assert keys == [kernel.headers_key]

    for name in (FRONT, BACK, NETIF, BACK.replace(".c", ".h")):
        (tree / name).write_text("edited")
        keys.append(kernel.headers_key)
    assert len(set(keys)) == len(keys)

    (tree / BACK).with_suffix(".o").write_text("compiled again")
    (tree / "drivers/net/veth.c").write_text("another driver")
    assert kernel.headers_key == keys[-1]


def test_modules_of_ours_need_no_source_of_drivers(tmp_path: Path) -> None:
    kernel = make_kernel(tmp_path, b"")
    make_built(kernel.modules / "build")

    assert kernel.headers_key == kernel.headers_key != ""


def test_driver_is_built_of_its_own_files_and_of_nothing_that_lies_beside_them(
    tmp_path: Path,
) -> None:
    tree = make_tree(tmp_path / "linux")
    (tree / "drivers/net/veth.ko").write_text("built")
    (tree / "drivers/net/veth.c").write_text("another driver")
    facts = {"release": RELEASE, "gcc_version": "0"}
    headers = KernelHeaders.of_folder(tree, facts)
    nothing = PatchSeries(name="nothing", patches=())

    lay_out(DriverSource(folder=tree), headers, nothing, tmp_path / "laid", Deadline.after(10.0))

    laid = (path for path in (tmp_path / "laid").rglob("*") if path.is_file())
    assert sorted(path.relative_to(tmp_path / "laid").as_posix() for path in laid) == sorted(
        (FRONT, BACK)
    )


def test_driver_for_an_image_needs_the_tree_that_it_was_built_in(tmp_path: Path) -> None:
    kernel = make_kernel(tmp_path, b"")
    with pytest.raises(InputError, match="name that folder as `build`"):
        kernel.provide_source()

    tree = kernel.modules / "build"
    (tree / "drivers/net/xen-netback").mkdir(parents=True)
    (tree / "drivers/net/xen-netfront.c").write_text("")
    (tree / ".config").write_text("CONFIG_GCC_VERSION=120200\n")
    (tree / "Module.symvers").write_text("")

    assert kernel.provide_source().folder == tree
    headers = kernel.provide_headers()
    assert (headers.build, headers.release, headers.gcc_major) == (tree, RELEASE, 12)
