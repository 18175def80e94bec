"""ConsoleLog: what a node said from power-on, as QEMU writes it; read here, never written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

TAIL_BYTES = 8192
LOOK_BACK_BYTES = 4096  # longer than a marker with what may have come in between
# A kernel's line may come in the middle of any other: console drivers take few bytes at a time.
INSERTED = re.compile(rb"(?:\(XEN\) |\[ *\d+\.\d{6}\] )[^\n]*\n")


@dataclass(slots=True, kw_only=True)
class ConsoleLog:
    """One reader of a growing log, with a cursor."""

    path: Path
    _offset: int = 0

    def read(self, start: int = 0) -> bytes:
        """Everything from power-on, or behind so many bytes; empty if nothing was said yet."""
        try:
            with self.path.open("rb") as file:
                file.seek(start)
                return file.read()
        except FileNotFoundError:
            return b""

    def has(self, marker: bytes) -> bool:
        """Whether the marker has appeared, whole or with lines of kernels in it.

        Each call reads what is new and a little before it.
        """
        try:
            with self.path.open("rb") as file:
                file.seek(max(0, self._offset - LOOK_BACK_BYTES))
                chunk = file.read()
                self._offset = file.tell()
        except FileNotFoundError:
            return False
        return marker in chunk or marker in INSERTED.sub(b"", chunk)

    def tail(self, lines: int) -> tuple[str, ...]:
        """The last lines, undecodable bytes replaced."""
        return tuple(self.read()[-TAIL_BYTES:].decode(errors="replace").splitlines()[-lines:])
