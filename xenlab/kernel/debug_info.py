"""Debug info: which files have DWARF, and of which build they are."""

from __future__ import annotations

from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import NoteSection

from xenlab.kernel.notes import find_build_id

# DWARF Debugging Information Format 5, 7.1: what every file with debug info has.
DEBUG_SECTION = ".debug_info"


def read_debugged_build(path: Path) -> str:
    """The build id of a kernel or a module that has debug info, in hexadecimal.

    Empty for a file that has none, cannot be read, or is no ELF at all: nothing is decoded by it.
    """
    try:
        with path.open("rb") as file:
            elf = ELFFile(file)
            if elf.get_section_by_name(DEBUG_SECTION) is None:
                return ""
            sections = (each for each in elf.iter_sections() if isinstance(each, NoteSection))
            return next(filter(None, (find_build_id(each.data()) for each in sections)), "")
    except (OSError, ELFError, ValueError):
        return ""
