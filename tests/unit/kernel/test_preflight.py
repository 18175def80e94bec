"""Kernels that cannot do their part are told apart before anything boots, with every reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.kernel.elf import EM_AARCH64, make_elf
from xenlab.errors import InputError
from xenlab.kernel.files import KernelFiles
from xenlab.kernel.notes import read_notes
from xenlab.kernel.preflight import (
    NEEDED_BY_ALL,
    NEEDED_BY_DOM0,
    NEEDED_BY_DOMU,
    check_can_be_dom0,
    check_can_be_domu,
)
from xenlab.plan.model import DomUKind

ENTRY, PHYS32_ENTRY = 1, 18
XEN_NOTES = [("Xen", ENTRY, bytes(8)), ("Xen", PHYS32_ENTRY, bytes(4))]
BUILD_ID = ("GNU", 3, bytes.fromhex("00112233445566778899aabbccddeeff00112233"))
ALL = {*NEEDED_BY_ALL, *NEEDED_BY_DOM0, *NEEDED_BY_DOMU, "XEN_PV", "XEN_PVH"}


def make_kernel(
    folder: Path, vmlinux: bytes, symbols: set[str], release: str = "6.1.0-x"
) -> KernelFiles:
    (folder / "vmlinux").write_bytes(vmlinux)
    (folder / "config").write_text(
        "# CONFIG_KASAN is not set\n" + "".join(f"CONFIG_{symbol}=m\n" for symbol in symbols)
    )
    return KernelFiles(
        release=release,
        vmlinux=folder / "vmlinux",
        config=folder / "config",
        modules_dom0=folder / "modules-dom0.cpio",
        modules_domu=folder / "modules-domu.cpio",
        build_id="",
    )


@pytest.mark.parametrize("kind", DomUKind)
def test_kernel_with_everything_passes(tmp_path: Path, kind: DomUKind) -> None:
    kernel = make_kernel(tmp_path, make_elf(notes=XEN_NOTES), ALL)

    check_can_be_dom0(kernel, kind)
    check_can_be_domu(kernel, kind)


@pytest.mark.parametrize("symbol", sorted({*NEEDED_BY_ALL, *NEEDED_BY_DOM0, "XEN_PV"}))
def test_dom0_without_one_symbol_is_refused_naming_it(tmp_path: Path, symbol: str) -> None:
    kernel = make_kernel(tmp_path, make_elf(notes=XEN_NOTES), ALL - {symbol})

    with pytest.raises(InputError, match=f"6.1.0-x lacks CONFIG_{symbol}$"):
        check_can_be_dom0(kernel)


def test_domu_without_netfront_is_refused_but_may_lack_netback(tmp_path: Path) -> None:
    with_netfront = make_kernel(
        tmp_path, make_elf(notes=XEN_NOTES), ALL - {"XEN_NETDEV_BACKEND", "BRIDGE"}
    )
    check_can_be_domu(with_netfront)

    without = make_kernel(tmp_path, make_elf(notes=XEN_NOTES), ALL - {"XEN_NETDEV_FRONTEND"})
    with pytest.raises(InputError, match="CONFIG_XEN_NETDEV_FRONTEND"):
        check_can_be_domu(without)


def test_all_problems_are_named_at_once(tmp_path: Path) -> None:
    kernel = make_kernel(tmp_path, make_elf(), ALL - {"XEN_NETDEV_BACKEND", "BRIDGE"})

    with pytest.raises(InputError) as refused:
        check_can_be_dom0(kernel)

    assert len(refused.value.problems) == 3
    assert "CONFIG_BRIDGE" in refused.value.problems[0]
    assert "CONFIG_XEN_NETDEV_BACKEND" in refused.value.problems[1]
    assert "no Xen ELF note" in refused.value.problems[2]


def test_entry_point_must_be_that_of_the_kind(tmp_path: Path) -> None:
    kernel = make_kernel(tmp_path, make_elf(notes=XEN_NOTES[:1]), ALL)

    check_can_be_domu(kernel, DomUKind.PV)
    with pytest.raises(InputError, match="entry point for pvh"):
        check_can_be_domu(kernel, DomUKind.PVH)


def test_kernel_for_another_machine_is_refused(tmp_path: Path) -> None:
    kernel = make_kernel(tmp_path, make_elf(machine=EM_AARCH64, notes=XEN_NOTES), ALL)

    with pytest.raises(InputError, match="EM_AARCH64"):
        check_can_be_dom0(kernel)


@pytest.mark.parametrize("content", [b"", b"MZ" + bytes(1000), make_elf(notes=XEN_NOTES)[:60]])
def test_what_is_no_elf_is_refused(tmp_path: Path, content: bytes) -> None:
    kernel = make_kernel(tmp_path, content, ALL)

    with pytest.raises(InputError, match="not a whole ELF kernel"):
        check_can_be_dom0(kernel)


def test_notes_give_the_build_id(tmp_path: Path) -> None:
    path = tmp_path / "vmlinux"
    path.write_bytes(make_elf(notes=[BUILD_ID, *XEN_NOTES]))

    notes = read_notes(path)

    assert notes.build_id == "00112233445566778899aabbccddeeff00112233"
    assert notes.xen_note_types == {ENTRY, PHYS32_ENTRY}


def test_note_of_another_owner_is_not_taken_for_xens(tmp_path: Path) -> None:
    path = tmp_path / "vmlinux"
    path.write_bytes(make_elf(notes=[("GNU", ENTRY, bytes(16))]))

    assert not read_notes(path).can_boot_pv
