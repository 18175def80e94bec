"""Small ELF-64 files made by hand, after the ELF-64 Object File Format, version 1.5."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping

HEADER_BYTES = 64
PROGRAM_HEADER_BYTES = 56
SECTION_HEADER_BYTES = 64
EM_X86_64 = 62
EM_AARCH64 = 183
PT_LOAD, PT_NOTE = 1, 4
SHT_PROGBITS, SHT_STRTAB, SHT_NOTE = 1, 3, 7

Note = tuple[str, int, bytes]


def make_elf(
    *,
    machine: int = EM_X86_64,
    notes: Iterable[Note] = (),
    loads: Iterable[bytes] = (),
    sections: Mapping[str, bytes] | None = None,
) -> bytes:
    """An ELF with a note segment, load segments and named sections."""
    segments = [(PT_LOAD, content) for content in loads]
    packed_notes = b"".join(pack_note(*note) for note in notes)
    if packed_notes:
        segments.append((PT_NOTE, packed_notes))
    body = bytearray()
    start = HEADER_BYTES + PROGRAM_HEADER_BYTES * len(segments)
    programs = b""
    for kind, content in segments:
        offset, size = start + len(body), len(content)
        programs += struct.pack("<IIQQQQQQ", kind, 7, offset, offset, offset, size, size, 4)
        body += content + bytes(-size % 8)
    names, headers = b"\0", bytes(SECTION_HEADER_BYTES)
    for name, content in (sections or {}).items():
        kind = SHT_NOTE if name.startswith(".note") else SHT_PROGBITS
        fields = (len(names), kind, 0, 0, start + len(body), len(content), 0, 0, 1, 0)
        headers += struct.pack("<IIQQQQIIQQ", *fields)
        names += name.encode() + b"\0"
        body += content + bytes(-len(content) % 8)
    fields = (len(names), SHT_STRTAB, 0, 0, start + len(body), len(names) + 10, 0, 0, 1, 0)
    headers += struct.pack("<IIQQQQIIQQ", *fields)
    names += b".shstrtab\0"
    body += names + bytes(-len(names) % 8)
    count = len(headers) // SECTION_HEADER_BYTES
    header = b"\x7fELF" + bytes((2, 1, 1)) + bytes(9)
    header += struct.pack("<HHIQQQ", 2, machine, 1, 0, HEADER_BYTES, start + len(body))
    header += struct.pack("<IHHHHHH", 0, 64, 56, len(segments), 64, count, count - 1)
    return header + programs + bytes(body) + headers


def pack_note(name: str, kind: int, content: bytes) -> bytes:
    """One note: three sizes, the name and the content, each padded to four bytes."""
    owner = name.encode() + b"\0"
    head = struct.pack("<III", len(owner), len(content), kind)
    return head + owner + bytes(-len(owner) % 4) + content + bytes(-len(content) % 4)


def make_module(depends: str) -> bytes:
    """A kernel module that depends on others."""
    return make_elf(sections={".modinfo": b"license=GPL\0depends=" + depends.encode() + b"\0"})
