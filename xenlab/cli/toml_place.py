"""Places in a TOML file, as editors read them: `tomllib` tells only where it gives up."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence

# As it ends its messages.
AT = re.compile(r" \(at line (\d+), column (\d+)\)$")
AT_END = re.compile(r" \(at end of document\)$")


def describe_error(text: str, error: tomllib.TOMLDecodeError) -> str:
    """`line:column: message` for text that is no TOML."""
    message = str(error)
    if found := AT.search(message):
        return f"{found[1]}:{found[2]}: {message[: found.start()]}"
    lines = text.removesuffix("\n").split("\n")
    return f"{len(lines)}:{len(lines[-1]) + 1}: {AT_END.sub('', message)}"


def find_place(text: str, keys: Sequence[str]) -> str:
    """`line:column` of a key or table by its path; `text` is whole and has it.

    What TOML says up to there is TOML too: the statement that brings the key ends the first part
    of the text in which it is, and begins behind the longest part before that which can be read.
    """
    lines = text.split("\n")
    begun = 0
    for end in range(1, len(lines) + 1):
        try:
            tables = tomllib.loads("\n".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue  # in the middle of a value
        if _has(tables, keys):
            break
        begun = end
    line = lines[begun]
    found = re.search(rf"(?<![\w-]){re.escape(keys[-1])}(?![\w-])", line)
    column = found.start() if found else len(line) - len(line.lstrip())
    return f"{begun + 1}:{column + 1}"


def _has(tables: Mapping[str, object], keys: Sequence[str]) -> bool:
    table: object = tables
    for key in keys:
        if not isinstance(table, dict) or key not in table:
            return False
        table = table[key]
    return True
