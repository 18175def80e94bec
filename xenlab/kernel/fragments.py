"""Fragments: pieces of a kernel's configuration, and whether what they ask for came true."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from xenlab.errors import InputError
from xenlab.kernel.config import KernelConfig
from xenlab.kernel.shelf import shelf
from xenlab.topology.wording import did_you_mean, list_names, quote

SUFFIX = ".config"

# A kernel built here can be dom0 and domU at once; what else is wanted comes behind.
ALWAYS = ("base", "dom0", "domu", "trace")

SET = re.compile(r"(CONFIG_\w+)=(.+)")
NOT_SET = re.compile(r"# (CONFIG_\w+) is not set")
OFF = "n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """One piece: each symbol that it asks for, the value, and the line that says so."""

    name: str
    path: Path
    content: bytes
    asked: tuple[tuple[str, str, int], ...]

    @classmethod
    def read(cls, path: Path) -> Fragment:
        """The fragment in a file. Raises InputError with every line that is none of Kconfig's."""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise InputError(f"{path}: {error.strerror}") from error
        asked: list[tuple[str, str, int]] = []
        problems: list[str] = []
        for number, line in enumerate(content.decode(errors="replace").splitlines(), start=1):
            if found := SET.fullmatch(line):
                asked.append((found[1], found[2], number))
            elif found := NOT_SET.fullmatch(line):
                asked.append((found[1], OFF, number))
            elif line.strip() and not line.startswith("#"):
                problems.append(
                    f"{path}:{number}:1: neither `CONFIG_X=y` nor `# CONFIG_X is not set`"
                )
        if not asked and not problems:
            problems = [f"{path}: no symbol in it"]
        if problems:
            raise InputError(*problems)
        name = path.name.removesuffix(SUFFIX)
        return cls(name=name, path=path, content=content, asked=tuple(asked))

    @property
    def digest(self) -> str:
        """The SHA-256 of its text."""
        return hashlib.sha256(self.content).hexdigest()


def list_fragments() -> tuple[str, ...]:
    """The names of the fragments that come with xenlab."""
    return tuple(sorted(path.name.removesuffix(SUFFIX) for path in _folder().glob(f"*{SUFFIX}")))


def read_fragments(words: Iterable[str]) -> tuple[Fragment, ...]:
    """Those that every kernel gets, then the ones named: by name, or as a file.

    Raises InputError for a name that there is not, and for a file that is no fragment.
    """
    known = list_fragments()
    paths: list[Path] = []
    for word in dict.fromkeys((*ALWAYS, *words)):
        path = _folder() / f"{word}{SUFFIX}" if word in known else Path(word)
        if word not in known and "/" not in word and not path.is_file():
            raise InputError(
                f"no configuration {quote(word)}{did_you_mean(word, known)}"
                f" (there are {list_names(known)}; a file is named with `/`)"
            )
        paths.append(path)
    return tuple(Fragment.read(path) for path in paths)


def find_unmet(
    fragments: Sequence[Fragment], config: KernelConfig, symbols: Callable[[], frozenset[str]]
) -> Iterator[str]:
    """Each symbol that is not what was asked for last: the line that asks, and what it became.

    `symbols` gives those that the source has at all; it is called only to tell why.
    """
    last = {
        symbol: (value, f"{fragment.path}:{line}:1")
        for fragment in fragments
        for symbol, value, line in fragment.asked
    }
    unmet = {
        symbol: (value, where)
        for symbol, (value, where) in last.items()
        if config.values.get(symbol, OFF) != value
    }
    known = symbols() if unmet else frozenset()
    for symbol, (value, where) in unmet.items():
        if symbol in known:
            became = config.values.get(symbol, OFF)
            why = "something selects it" if value == OFF else "what it depends on is missing"
            yield f"{where}: {symbol}={value} became {became}: {why}"
        else:
            yield f"{where}: {symbol}={value}: this source has no such symbol"


def _folder() -> Path:
    return shelf() / "configs"
