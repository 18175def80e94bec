"""The configuration a kernel was built with."""

from __future__ import annotations

import re
from dataclasses import dataclass

LINE = re.compile(r"^(CONFIG_\w+)=(.*)$", re.MULTILINE)


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

    def missing(self, symbols: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the symbols that are neither built in nor modules, as `CONFIG_...`."""
        return tuple(f"CONFIG_{symbol}" for symbol in symbols if not self.has(symbol))
