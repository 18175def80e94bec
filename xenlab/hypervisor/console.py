"""ConsoleLog: what a node said from power-on, as QEMU writes it; read here, never written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

TAIL_BYTES = 8192


@dataclass(slots=True, kw_only=True)
class ConsoleLog:
    """One reader of a growing log, with a cursor."""

    path: Path
    _offset: int = 0

    def read(self) -> bytes:
        """Everything from power-on; empty if nothing was said yet."""
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""

    def has(self, marker: bytes) -> bool:
        """Whether the marker has appeared; each call reads only what is new."""
        try:
            with self.path.open("rb") as file:
                file.seek(max(0, self._offset - len(marker)))
                chunk = file.read()
                self._offset = file.tell()
        except FileNotFoundError:
            return False
        return marker in chunk

    def tail(self, lines: int) -> tuple[str, ...]:
        """The last lines, undecodable bytes replaced."""
        return tuple(self.read()[-TAIL_BYTES:].decode(errors="replace").splitlines()[-lines:])
