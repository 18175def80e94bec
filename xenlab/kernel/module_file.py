"""ModuleFile: one built `.ko`: for which kernel it is, and the build id that proves it loaded."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import NoteSection

from xenlab.errors import InputError
from xenlab.kernel.notes import X86_64

SUFFIX = ".ko"
DEBUG = ".debug"
BUILD_ID_SECTION = ".note.gnu.build-id"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleFile:
    """A module on this host, ready to be loaded by a kernel of `release`.

    `build_id` is the GNU build id in hexadecimal digits: the running kernel shows the same in
    /sys/module/NAME/notes/.note.gnu.build-id. `name` is spelled as the kernel does, with `_`.
    """

    path: Path
    name: str
    release: str
    build_id: str

    @property
    def sha256(self) -> str:
        """The digest of the file."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    @property
    def debug_path(self) -> Path:
        """The same module with its debug sections, where xenlab built it; there may be none."""
        return self.path.with_name(f"{self.path.name}{DEBUG}")

    @classmethod
    def read(cls, path: Path) -> ModuleFile:
        """The module in a file. Raises InputError if it is none for x86-64, or has no build id."""
        try:
            return cls.parse(path, path.read_bytes())
        except OSError as error:
            raise InputError(f"{path}: {error.strerror}") from error

    @classmethod
    def parse(cls, path: Path, content: bytes) -> ModuleFile:
        """The module that is or was in a file, from its bytes."""
        try:
            elf = ELFFile(io.BytesIO(content))
            if elf["e_machine"] != X86_64:
                raise InputError(f"{path}: built for {elf['e_machine']}, not for {X86_64}")
            info = elf.get_section_by_name(".modinfo")
            fields = _read_fields(info.data()) if info is not None else {}
            build_id = _read_build_id(elf)
        except ELFError as error:
            raise InputError(f"{path}: not a whole ELF file: {error}") from error
        if not fields.get("name") or not fields.get("vermagic") or not build_id:
            raise InputError(f"{path}: not a kernel module with a name, a version and a build id")
        release = fields["vermagic"].partition(" ")[0]
        return cls(path=path, name=fields["name"], release=release, build_id=build_id)

    def require_release(self, release: str) -> ModuleFile:
        """This module, or InputError if a kernel of that release would refuse it."""
        if self.release != release:
            raise InputError(f"{self.path}: built for Linux {self.release}, the node has {release}")
        return self


def _read_fields(section: bytes) -> dict[str, str]:
    """`key=value`, each ended by a NUL; of several equal keys the last."""
    texts = (field.decode(errors="replace") for field in section.split(b"\0"))
    return dict(text.partition("=")[::2] for text in texts if text)


def _read_build_id(elf: ELFFile) -> str:
    section = elf.get_section_by_name(BUILD_ID_SECTION)
    if not isinstance(section, NoteSection):
        return ""
    return next((str(note["n_desc"]) for note in section.iter_notes()), "")
