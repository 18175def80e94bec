"""Trimming a kernel's ELF to what a loader reads: no zeros that it would make by itself.

Linux' vmlinux has its `.bss` and a scratch area as bytes of the file (26 of 66 MB in 6.1); each
byte is unpacked, copied and read again by an emulated CPU. A segment's memory size stays as it was,
and what the file no longer holds a loader fills with zeros (ELF-64 Object File Format, p_memsz).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from xenlab.errors import InputError

# ELF-64 Object File Format, version 1.5: figures 2 (file header) and 6 (program header)
PROGRAM_HEADERS_AT = 0x20
SECTION_HEADERS_AT = 0x28
PROGRAM_HEADER_COUNT_AT = 0x38
SECTION_COUNTS_AT = 0x3C  # e_shnum, e_shstrndx
PROGRAM_HEADER_BYTES = 56
SEGMENT_OFFSET_AT = 8
SEGMENT_FILE_SIZE_AT = 32
PT_LOAD = 1
PAGE_BYTES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class _Segment:
    """One program header: where it stands, and what of the file it loads."""

    header_at: int
    kind: int
    offset: int
    file_size: int


def trim_elf(elf: bytes, name: str) -> bytes:
    """The same program without trailing zeros in its segments and without a section table.

    Raises InputError, naming it, if the file ends before its segments do.
    """
    image = bytearray(elf)
    end = 0
    for segment in _read_segments(elf):
        if segment.offset + segment.file_size > len(elf):
            whole = segment.offset + segment.file_size
            raise InputError(f"{name}: cut short, {len(elf)} bytes of at least {whole} are there")
        if segment.kind != PT_LOAD:
            continue
        content = elf[segment.offset : segment.offset + segment.file_size].rstrip(b"\0")
        pages = -(-len(content) // PAGE_BYTES)
        size = min(segment.file_size, pages * PAGE_BYTES)
        struct.pack_into("<Q", image, segment.header_at + SEGMENT_FILE_SIZE_AT, size)
        end = max(end, segment.offset + size)
    struct.pack_into("<Q", image, SECTION_HEADERS_AT, 0)
    struct.pack_into("<HH", image, SECTION_COUNTS_AT, 0, 0)
    return bytes(image[:end])


def _read_segments(elf: bytes) -> list[_Segment]:
    (start,) = struct.unpack_from("<Q", elf, PROGRAM_HEADERS_AT)
    (count,) = struct.unpack_from("<H", elf, PROGRAM_HEADER_COUNT_AT)
    headers = [start + number * PROGRAM_HEADER_BYTES for number in range(count)]
    return [
        _Segment(
            header_at=at,
            kind=struct.unpack_from("<I", elf, at)[0],
            offset=struct.unpack_from("<Q", elf, at + SEGMENT_OFFSET_AT)[0],
            file_size=struct.unpack_from("<Q", elf, at + SEGMENT_FILE_SIZE_AT)[0],
        )
        for at in headers
    ]
