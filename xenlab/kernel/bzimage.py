"""The bzImage of an x86 kernel, and the vmlinux ELF packed in it.

The ELF is taken out once on the host, because inside the machine an emulated CPU would unpack it at
every boot of every domain.
"""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable

from xenlab.errors import InputError
from xenlab.transport.process import run
from xenlab.waiting import Deadline

# linux/Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header"; offsets in the file
SETUP_SECTORS_AT = 0x1F1
MAGIC_AT = 0x202
MAGIC = b"HdrS"
VERSION_AT = 0x206
FIRST_VERSION_WITH_PAYLOAD = 0x0208
PAYLOAD_AT = 0x248  # payload_offset and payload_length, from the start of the protected-mode code
HEADER_END = 0x250
SECTOR_BYTES = 512
DEFAULT_SETUP_SECTORS = 4

# linux/Documentation/arch/arm64/booting.rst: the header of its plain Image
ARM64_MAGIC_AT = 56
ARM64_MAGIC = b"ARM\x64"

ELF_MAGIC = b"\x7fELF"

# linux/scripts/Makefile.lib, size_append: four bytes behind the packed data hold the unpacked size;
# gzip ends with the same four bytes by itself.
SIZE_BYTES = 4


def is_bzimage(image: bytes) -> bool:
    """Whether a kernel's file has the header that firmware and boot loaders look for."""
    return image[MAGIC_AT : MAGIC_AT + len(MAGIC)] == MAGIC


def extract_vmlinux(image: bytes, name: str, deadline: Deadline) -> bytes:
    """The ELF inside a bzImage, or the image itself if it is an ELF already.

    Raises InputError, naming the file, if it is cut short, damaged, or no x86 kernel.
    """
    if image.startswith(ELF_MAGIC):
        return image
    payload = _payload(image, name)
    unpacked = _unpack(payload, name, deadline)
    (size_bytes,) = struct.unpack("<I", payload[-SIZE_BYTES:])
    if not unpacked.startswith(ELF_MAGIC) or len(unpacked) != size_bytes:
        raise InputError(f"{name}: what is packed in it is not a whole ELF kernel")
    return unpacked


def _payload(image: bytes, name: str) -> bytes:
    if image[ARM64_MAGIC_AT : ARM64_MAGIC_AT + len(ARM64_MAGIC)] == ARM64_MAGIC:
        raise InputError(f"{name}: built for arm64, not for x86-64")
    if len(image) < HEADER_END or not is_bzimage(image):
        raise InputError(f"{name}: neither an x86 bzImage nor an ELF kernel")
    (version,) = struct.unpack_from("<H", image, VERSION_AT)
    if version < FIRST_VERSION_WITH_PAYLOAD:
        raise InputError(f"{name}: boot protocol {version:#06x} is older than Linux 2.6.26")
    sectors = image[SETUP_SECTORS_AT] or DEFAULT_SETUP_SECTORS
    offset, length = struct.unpack_from("<II", image, PAYLOAD_AT)
    start = (sectors + 1) * SECTOR_BYTES + offset
    payload = image[start : start + length]
    if len(payload) < length or length <= SIZE_BYTES:
        raise InputError(f"{name}: cut short, {length} packed bytes should begin at {start}")
    return payload


def _unpack(payload: bytes, name: str, deadline: Deadline) -> bytes:
    for magic, unpack in UNPACKERS.items():
        if payload.startswith(magic):
            try:
                return unpack(payload, deadline)
            except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
                raise InputError(f"{name}: the kernel packed in it is damaged: {error}") from error
    raise InputError(f"{name}: packed in an unknown way, it begins with {payload[:6].hex()}")


def _run_unpacker(argv: tuple[str, ...], payload: bytes, deadline: Deadline) -> bytes:
    """Unpack by a program, which would take the size behind the data for damage."""
    result = run(argv, stdin=payload[:-SIZE_BYTES], deadline=deadline)
    if result.status != 0:
        raise OSError(result.stderr.decode(errors="replace").strip())
    return result.stdout


Unpacker = Callable[[bytes, Deadline], bytes]

# linux/scripts/extract-vmlinux has the same list; lzop is left out, no distribution uses it.
UNPACKERS: dict[bytes, Unpacker] = {
    b"\x1f\x8b\x08": lambda data, _: zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(data),
    b"\xfd7zXZ\x00": lambda data, _: lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(data),
    b"\x5d\x00\x00": lambda data, _: lzma.LZMADecompressor(lzma.FORMAT_ALONE).decompress(data),
    b"BZh": lambda data, _: bz2.BZ2Decompressor().decompress(data),
    b"\x28\xb5\x2f\xfd": lambda data, until: _run_unpacker(("zstd", "-dc"), data, until),
    b"\x02\x21\x4c\x18": lambda data, until: _run_unpacker(("lz4", "-dc"), data, until),
    ELF_MAGIC: lambda data, _: data,
}
