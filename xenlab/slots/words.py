"""Words: a line of `key=value` words, and what is wrong with them, collected before it is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from xenlab.errors import InputError
from xenlab.topology.wording import did_you_mean, list_names, quote

Value = TypeVar("Value")


@dataclass(slots=True, kw_only=True)
class Words:
    """The words of a text by their keys; `problems` grows as they are read."""

    values: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, text: str, *, keys: Sequence[str], example: str) -> Words:
        """The words of `text`; the first of `keys` must stand, the others may."""
        words = cls()
        for word in text.split():
            key, _, value = word.partition("=")
            if key not in keys:
                hint = did_you_mean(key, keys) or f"; known here: {list_names(keys)}"
                words.problems.append(f"{quote(word)}: unknown word{hint}")
            elif not value:
                words.problems.append(f"{quote(word)}: has no value; for example `{example}`")
            words.values.setdefault(key, value)
        counts = Counter(word.partition("=")[0] for word in text.split())
        words.problems += [
            f"{quote(key)}: stands {count} times" for key, count in counts.items() if count > 1
        ]
        if keys[0] not in counts and not words.problems:
            words.problems.append(f"`{keys[0]}` is missing; for example `{example}`")
        return words

    def read(self, key: str, reader: Callable[[str], Value], default: Value) -> Value:
        """What `reader` makes of the key's word; the default without one, or with a wrong one."""
        if not (text := self.values.get(key)):
            return default
        try:
            return reader(text)
        except InputError as error:
            self.problems += error.problems
            return default
