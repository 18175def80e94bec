"""The ELF inside a bzImage, and every way in which a file is not one."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
from collections.abc import Callable

import pytest

from tests.unit.kernel.elf import make_elf
from xenlab.errors import InputError
from xenlab.kernel.bzimage import extract_vmlinux
from xenlab.waiting import Deadline

SETUP_SECTORS = 3
PAYLOAD_OFFSET = 0x2CC
VMLINUX = make_elf(loads=[bytes(range(256)) * 64])


def pack_xz(data: bytes) -> bytes:
    return lzma.compress(data) + struct.pack("<I", len(data))


def pack_lzma(data: bytes) -> bytes:
    return lzma.compress(data, lzma.FORMAT_ALONE) + struct.pack("<I", len(data))


def pack_bzip2(data: bytes) -> bytes:
    return bz2.compress(data) + struct.pack("<I", len(data))


def make_bzimage(payload: bytes, *, version: int = 0x020F) -> bytes:
    """A boot sector, setup code of three sectors, and the payload behind an unpacker's code."""
    image = bytearray((SETUP_SECTORS + 1) * 512)
    image[0x1F1] = SETUP_SECTORS
    image[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", image, 0x206, version)
    struct.pack_into("<II", image, 0x248, PAYLOAD_OFFSET, len(payload))
    return bytes(image) + bytes(PAYLOAD_OFFSET) + payload + b"what follows the payload"


def extract(image: bytes) -> bytes:
    return extract_vmlinux(image, "boot/vmlinuz", Deadline.after(10))


@pytest.mark.parametrize("pack", [gzip.compress, pack_xz, pack_lzma, pack_bzip2])
def test_elf_comes_out_as_it_was_packed(pack: Callable[[bytes], bytes]) -> None:
    assert extract(make_bzimage(pack(VMLINUX))) == VMLINUX


def test_elf_is_taken_as_it_is() -> None:
    assert extract(VMLINUX) == VMLINUX


def test_image_cut_short_is_refused_by_name() -> None:
    image = make_bzimage(pack_xz(VMLINUX))
    for length in (0, 600, 2048, 2048 + PAYLOAD_OFFSET + 5, len(image) - 30):
        with pytest.raises(InputError, match="boot/vmlinuz"):
            extract(image[:length])


@pytest.mark.parametrize("pack", [gzip.compress, pack_xz, pack_bzip2])
def test_damaged_payload_is_refused(pack: Callable[[bytes], bytes]) -> None:
    payload = bytearray(pack(VMLINUX))
    payload[len(payload) // 2] ^= 0xFF

    with pytest.raises(InputError, match="boot/vmlinuz"):
        extract(make_bzimage(bytes(payload)))


def test_other_size_than_the_header_says_is_refused() -> None:
    payload = lzma.compress(VMLINUX) + struct.pack("<I", len(VMLINUX) + 1)

    with pytest.raises(InputError, match="not a whole ELF"):
        extract(make_bzimage(payload))


def test_what_is_no_kernel_is_refused() -> None:
    with pytest.raises(InputError, match="neither an x86 bzImage nor an ELF"):
        extract(b"MZ" + bytes(4096))


def test_payload_that_is_no_elf_is_refused() -> None:
    with pytest.raises(InputError, match="not a whole ELF"):
        extract(make_bzimage(gzip.compress(b"not a kernel" * 100)))


def test_unknown_compression_is_refused_with_its_first_bytes() -> None:
    with pytest.raises(InputError, match="414243444546"):
        extract(make_bzimage(b"ABCDEF" + bytes(100)))


def test_boot_protocol_without_a_payload_is_refused() -> None:
    with pytest.raises(InputError, match="0x0207"):
        extract(make_bzimage(pack_xz(VMLINUX), version=0x0207))
