"""The ELF notes of a kernel: its build id, and what it tells Xen about itself."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from elftools.common.exceptions import ELFError
from elftools.construct import Container
from elftools.elf.elffile import ELFFile
from elftools.elf.enums import ENUM_NOTE_N_TYPE
from elftools.elf.segments import NoteSegment

from xenlab.errors import InputError

# xen/include/public/elfnote.h
XEN_ELFNOTE_ENTRY = 1
XEN_ELFNOTE_PHYS32_ENTRY = 18

NT_GNU_BUILD_ID = 3
GNU = b"GNU\0"
# ELF-64 Object File Format, version 1.5, figure 7: the bytes of name and content, and the type.
# Linux pads both to four bytes, as binutils does.
NOTE_HEAD = struct.Struct("<III")
NOTE_ALIGN_BYTES = 4

X86_64 = "EM_X86_64"


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelNotes:
    """What the notes of a kernel ELF say."""

    build_id: str
    xen_note_types: frozenset[int]

    @property
    def can_boot_pv(self) -> bool:
        """Whether Xen finds the entry point of a paravirtual guest."""
        return XEN_ELFNOTE_ENTRY in self.xen_note_types

    @property
    def can_boot_pvh(self) -> bool:
        """Whether Xen finds the 32-bit entry point of a PVH guest."""
        return XEN_ELFNOTE_PHYS32_ENTRY in self.xen_note_types


def read_notes(vmlinux: bytes, name: str) -> KernelNotes:
    """The notes of a kernel. Raises InputError, naming it, if it is not an ELF for x86-64."""
    build_id = ""
    types: set[int] = set()
    for note in _iter_notes(vmlinux, name):
        kind = int(ENUM_NOTE_N_TYPE.get(note["n_type"], note["n_type"]))
        if note["n_name"] == "GNU" and kind == NT_GNU_BUILD_ID:
            build_id = note["n_desc"]
        elif note["n_name"] == "Xen":
            types.add(kind)
    return KernelNotes(build_id=build_id, xen_note_types=frozenset(types))


def find_build_id(notes: bytes) -> str:
    """The GNU build id among notes as a running kernel shows them, in hexadecimal; "" without one.

    Raises ValueError for notes that end before they should.
    """
    at = 0
    while at < len(notes):
        name_at = at + NOTE_HEAD.size
        if name_at > len(notes):
            raise ValueError(f"cut short in the head of the note at {at}")
        name_bytes, content_bytes, kind = NOTE_HEAD.unpack_from(notes, at)
        content_at = name_at + _pad(name_bytes)
        end = content_at + content_bytes
        if end > len(notes):
            raise ValueError(f"cut short, the note at {at} should end at {end}")
        if kind == NT_GNU_BUILD_ID and notes[name_at : name_at + name_bytes] == GNU:
            return notes[content_at:end].hex()
        at = content_at + _pad(content_bytes)
    return ""


def _pad(size_bytes: int) -> int:
    return -(-size_bytes // NOTE_ALIGN_BYTES) * NOTE_ALIGN_BYTES


def _iter_notes(vmlinux: bytes, name: str) -> Iterator[Container]:
    """Every note; pyelftools names a type as if it were GNU's, whosever note it is."""
    try:
        elf = ELFFile(io.BytesIO(vmlinux))
        if elf["e_machine"] != X86_64:
            raise InputError(f"{name}: built for {elf['e_machine']}, not for {X86_64}")
        for segment in elf.iter_segments():
            if isinstance(segment, NoteSegment):
                yield from segment.iter_notes()
    except ELFError as error:
        raise InputError(f"{name}: not a whole ELF kernel: {error}") from error
