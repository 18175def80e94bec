"""Modules are found by name, with all that they depend on, in any compression."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest

from tests.unit.kernel.elf import make_elf, make_module
from xenlab.errors import InputError
from xenlab.kernel.modules import Module, ModuleFolder, module_name
from xenlab.waiting import Deadline


@pytest.fixture
def folder(tmp_path: Path) -> ModuleFolder:
    """A small kernel: nft needs nf_tables needs nfnetlink; veth needs nothing; loop is built in."""
    release = tmp_path / "6.1.0-x"
    for path, depends in (
        ("kernel/net/nf-tables.ko", "nfnetlink,crc"),
        ("kernel/net/nft_meta.ko", "nf_tables"),
        ("kernel/net/nfnetlink.ko", ""),
        ("kernel/lib/crc.ko", ""),
        ("kernel/drivers/veth.ko", ""),
    ):
        (release / path).parent.mkdir(parents=True, exist_ok=True)
        (release / path).write_bytes(make_module(depends))
    (release / "modules.builtin").write_text("kernel/drivers/block/loop.ko\n")
    return ModuleFolder(folder=release, deadline=Deadline.after(10))


def names(modules: tuple[Module, ...]) -> list[str]:
    return [module_name(module.path) for module in modules]


def test_module_comes_with_all_it_depends_on(folder: ModuleFolder) -> None:
    chosen = folder.select(["nft_meta"])

    assert names(chosen) == ["crc", "nf_tables", "nfnetlink", "nft_meta"]
    assert chosen[1].path == "kernel/net/nf-tables.ko"


def test_dash_and_underscore_are_the_same(folder: ModuleFolder) -> None:
    assert folder.select(["nf-tables"]) == folder.select(["nf_tables"])


def test_builtin_module_is_satisfied(folder: ModuleFolder) -> None:
    assert names(folder.select(["veth", "loop"])) == ["veth"]


def test_every_missing_module_is_named(folder: ModuleFolder) -> None:
    with pytest.raises(InputError, match=r"6\.1\.0-x has no module xen_netback, bridge"):
        folder.select(["veth", "xen-netback", "bridge"])


def test_module_that_may_be_missing_is_left_out(folder: ModuleFolder) -> None:
    assert names(folder.select(["veth"], ["lkdtm", "crc"])) == ["veth", "crc"]


def test_packed_module_is_unpacked_and_loses_its_suffix(folder: ModuleFolder) -> None:
    plain = folder.folder / "kernel/drivers/veth.ko"
    content = plain.read_bytes()
    plain.with_name("veth.ko.xz").write_bytes(lzma.compress(content))
    plain.unlink()

    assert folder.select(["veth"]) == (Module(path="kernel/drivers/veth.ko", content=content),)


def test_file_that_is_no_module_is_refused() -> None:
    with pytest.raises(InputError, match=r"kernel/a\.ko"):
        _ = Module(path="kernel/a.ko", content=make_elf()).depends
