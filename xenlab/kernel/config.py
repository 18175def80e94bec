"""The configuration a kernel was built with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

LINE = re.compile(r"^(CONFIG_\w+)=(.*)$", re.MULTILINE)
# linux/Documentation/kbuild/kconfig-language.rst, "Menu entries"
ENTRY = re.compile(r"^\s*(?:menu)?config\s+(\w+)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelConfig:
    """Symbols and values as in `.config`; symbols that are not set are absent."""

    values: dict[str, str]

    @classmethod
    def parse(cls, text: str) -> KernelConfig:
        """The configuration in a `.config` text."""
        return cls(values=dict(LINE.findall(text)))

    def has(self, symbol: str) -> bool:
        """Whether a symbol, named without `CONFIG_`, is built in or a module."""
        return self.values.get(f"CONFIG_{symbol}") in ("y", "m")

    @property
    def enabled(self) -> int:
        """How many symbols are built in or modules."""
        return sum(value in ("y", "m") for value in self.values.values())

    def missing(self, symbols: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the symbols that are neither built in nor modules, as `CONFIG_...`."""
        return tuple(f"CONFIG_{symbol}" for symbol in symbols if not self.has(symbol))


def read_symbols(source: Path) -> frozenset[str]:
    """Every symbol that a source tree's Kconfig files define for x86, as `CONFIG_...`."""
    foreign = source / "arch"
    files = (
        path
        for path in source.rglob("Kconfig*")
        if path.is_file() and not (foreign in path.parents and foreign / "x86" not in path.parents)
    )
    texts = (path.read_text(encoding="utf-8", errors="replace") for path in files)
    return frozenset(f"CONFIG_{name}" for text in texts for name in ENTRY.findall(text))
