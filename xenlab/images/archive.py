"""Root images as one tar archive: what a host unpacks, where a kernel would unpack the cpios."""

from __future__ import annotations

import io
import stat
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

from xenlab.errors import LabError
from xenlab.images.cpio import ALIGNMENT, MAGIC, TRAILER

FIELDS = 13
FIELD_DIGITS = 8
HEADER_BYTES = len(MAGIC) + FIELDS * FIELD_DIGITS


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    name: str
    mode: int
    content: bytes


def render_tar(*cpios: bytes) -> bytes:
    """The entries of newc archives of ours, one after the other; a later one replaces an earlier.

    Raises LabError for what is no such archive.
    """
    latest = {entry.name: entry for cpio in cpios for entry in _read_cpio(cpio)}
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, entry in sorted(latest.items()):
            tar.addfile(_describe(name, entry), io.BytesIO(entry.content))
    return target.getvalue()


def _describe(name: str, entry: _Entry) -> tarfile.TarInfo:
    told = tarfile.TarInfo(name)
    told.mode = stat.S_IMODE(entry.mode)
    if stat.S_ISDIR(entry.mode):
        told.type = tarfile.DIRTYPE
    elif stat.S_ISLNK(entry.mode):
        told.type, told.linkname = tarfile.SYMTYPE, entry.content.decode()
    else:
        told.size = len(entry.content)
    return told


def _read_cpio(cpio: bytes) -> Iterator[_Entry]:
    """Every entry; an archive may hold several one behind the other, as an initrd does."""
    at = 0
    while at < len(cpio):
        header = cpio[at : at + HEADER_BYTES]
        if not header.startswith(MAGIC):
            raise LabError(f"no cpio entry at byte {at}, but {header[:12]!r}")
        digits = header[len(MAGIC) :]
        fields = [
            int(digits[place : place + FIELD_DIGITS], 16)
            for place in range(0, FIELDS * FIELD_DIGITS, FIELD_DIGITS)
        ]
        mode, content_bytes, name_bytes = fields[1], fields[6], fields[11]
        name = cpio[at + HEADER_BYTES : at + HEADER_BYTES + name_bytes - 1].decode()
        at = _align(at + HEADER_BYTES + name_bytes)
        if name != TRAILER:
            yield _Entry(name=name, mode=mode, content=cpio[at : at + content_bytes])
        at = _align(at + content_bytes)


def _align(position: int) -> int:
    return -(-position // ALIGNMENT) * ALIGNMENT
