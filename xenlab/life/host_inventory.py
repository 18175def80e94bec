"""HostInventory: what was on a host before a lab, kept in the lab's state, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FILE = "host-inventory.json"
# What only a lab can have left. Processes, files and xenstore change on a host by themselves too.
TELLING = ("domain ", "device ", "port ", "module ", "mount ", "setting ")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostInventory:
    """Lines of the script `inventory`, sorted, each once."""

    lines: tuple[str, ...]

    @classmethod
    def find(cls, state: Path) -> HostInventory | None:
        """What was kept for a lab; None if it had not come so far."""
        path = state / FILE
        if not path.is_file():
            return None
        return cls(lines=tuple(json.loads(path.read_text(encoding="utf-8"))))

    def keep(self, state: Path) -> None:
        """Keep it, whole or not at all."""
        part = state / f"{FILE}.part"
        part.write_text(json.dumps(self.lines, indent=0), encoding="utf-8")
        part.rename(state / FILE)

    def find_changes(self, now: HostInventory) -> Iterator[str]:
        """What came, `+`, and what went, `-`."""
        before, after = set(self.lines), set(now.lines)
        yield from (f"+ {line}" for line in now.lines if line not in before)
        yield from (f"- {line}" for line in self.lines if line not in after)


def is_telling(change: str) -> bool:
    """Whether a change is one that a lab has to answer for."""
    return change[2:].startswith(TELLING)
