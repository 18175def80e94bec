"""Kernels that cannot do their part are told apart before anything boots, with every reason."""

from __future__ import annotations

import pytest

from tests.unit.kernel.elf import EM_AARCH64, make_elf
from xenlab.errors import InputError
from xenlab.kernel.config import KernelConfig
from xenlab.kernel.notes import read_notes
from xenlab.kernel.preflight import NEEDED_BY_PART, find_obstacles

ENTRY, PHYS32_ENTRY = 1, 18
XEN_NOTES = [("Xen", ENTRY, bytes(8)), ("Xen", PHYS32_ENTRY, bytes(4))]
BUILD_ID = ("GNU", 3, bytes.fromhex("00112233445566778899aabbccddeeff00112233"))
ALL = frozenset(symbol for symbols in NEEDED_BY_PART.values() for symbol in symbols)
EVERY_NEED = [(part, symbol) for part, symbols in NEEDED_BY_PART.items() for symbol in symbols]


def obstacles(
    part: str,
    *,
    without: tuple[str, ...] = (),
    vmlinux: bytes = make_elf(notes=XEN_NOTES),
    is_bzimage: bool = True,
) -> tuple[str, ...]:
    """What keeps a kernel from a part that has every symbol but some."""
    lines = [f"CONFIG_{symbol}=m\n" for symbol in sorted(ALL.difference(without))]
    config = KernelConfig.parse("# CONFIG_KASAN is not set\n" + "".join(lines))
    notes = read_notes(vmlinux, "vmlinux")
    return find_obstacles(part, config, notes, is_bzimage=is_bzimage)


@pytest.mark.parametrize("part", ["dom0", "backend", "pv", "pvh", "hvm"])
def test_kernel_with_everything_can_be_everything(part: str) -> None:
    assert obstacles(part) == ()


@pytest.mark.parametrize(("part", "symbol"), EVERY_NEED)
def test_kernel_without_one_symbol_is_told_by_its_name(part: str, symbol: str) -> None:
    assert obstacles(part, without=(symbol,)) == (f"lacks CONFIG_{symbol}",)


def test_domu_may_lack_netback_and_dom0_netfront() -> None:
    assert obstacles("pv", without=("XEN_NETDEV_BACKEND", "BRIDGE")) == ()
    assert obstacles("dom0", without=("XEN_NETDEV_FRONTEND",)) == ()


def test_all_obstacles_are_named_at_once() -> None:
    found = obstacles("dom0", without=("XEN_NETDEV_BACKEND", "BRIDGE"), vmlinux=make_elf())

    assert found == (
        "lacks CONFIG_BRIDGE",
        "lacks CONFIG_XEN_NETDEV_BACKEND",
        "no Xen ELF note with an entry point for pv",
    )


def test_entry_point_must_be_that_of_the_kind() -> None:
    vmlinux = make_elf(notes=XEN_NOTES[:1])

    assert obstacles("pv", vmlinux=vmlinux) == ()
    assert obstacles("pvh", vmlinux=vmlinux) == ("no Xen ELF note with an entry point for pvh",)


def test_only_firmware_needs_a_bzimage_and_it_needs_no_note() -> None:
    assert obstacles("pv", is_bzimage=False) == obstacles("pvh", is_bzimage=False) == ()
    assert obstacles("hvm", is_bzimage=False) == ("is an ELF, and firmware boots a bzImage",)
    assert obstacles("hvm", vmlinux=make_elf()) == ()


def test_kernel_for_another_machine_is_refused() -> None:
    with pytest.raises(InputError, match="boot/vmlinuz: built for EM_AARCH64"):
        read_notes(make_elf(machine=EM_AARCH64, notes=XEN_NOTES), "boot/vmlinuz")


@pytest.mark.parametrize("content", [b"", b"MZ" + bytes(1000), make_elf(notes=XEN_NOTES)[:60]])
def test_what_is_no_elf_is_refused(content: bytes) -> None:
    with pytest.raises(InputError, match="boot/vmlinuz: not a whole ELF kernel"):
        read_notes(content, "boot/vmlinuz")


def test_notes_give_the_build_id() -> None:
    notes = read_notes(make_elf(notes=[BUILD_ID, *XEN_NOTES]), "vmlinux")

    assert notes.build_id == "00112233445566778899aabbccddeeff00112233"
    assert notes.xen_note_types == {ENTRY, PHYS32_ENTRY}


def test_note_of_another_owner_is_not_taken_for_xens() -> None:
    assert not read_notes(make_elf(notes=[("GNU", ENTRY, bytes(16))]), "vmlinux").can_boot_pv
