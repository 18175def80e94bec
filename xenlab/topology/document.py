"""Document: the plain values of a YAML file, with the place of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import yaml

from xenlab.topology.stream import TAG, Position, Problem, position_of_mark, read_root
from xenlab.topology.wording import quote

# Longer numbers mean nothing here, and int() refuses more than 4300 digits by itself.
NUMBER_MAX_CHARS = 40

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"
Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The values of a file, where each stands, and what is wrong with them as YAML.

    A key that stands twice keeps its first value and makes a problem.
    """

    value: Value
    key_positions: Mapping[Path, Position]
    value_positions: Mapping[Path, Position]
    # Scalars as they were written: `6.10` is 6.1 among the values.
    sources: Mapping[Path, str]
    problems: tuple[Problem, ...]

    def position_of_key(self, path: Path) -> Position:
        """Where the last key of `path` stands, or the nearest thing around it."""
        return self.key_positions.get(path) or self.position_of(path)

    def position_of(self, path: Path) -> Position:
        """Where the value at `path` stands, or the nearest thing around it."""
        while path and path not in self.value_positions:
            path = path[:-1]
        return self.value_positions[path]


def read_document(raw: bytes) -> Document:
    """The values of one YAML document. Raises Unreadable if there are none to check."""
    return _Reader().read(read_root(raw))


class _Reader:
    """Turns nodes into values and writes down where they stand."""

    def __init__(self) -> None:
        self._key_positions: dict[Path, Position] = {}
        self._value_positions: dict[Path, Position] = {}
        self._sources: dict[Path, str] = {}
        self._problems: list[Problem] = []

    def read(self, root: yaml.Node) -> Document:
        """The document below `root`."""
        return Document(
            value=self._value_of(root, ()),
            key_positions=self._key_positions,
            value_positions=self._value_positions,
            sources=self._sources,
            problems=tuple(self._problems),
        )

    def _value_of(self, node: yaml.Node, path: Path) -> Value:
        self._value_positions[path] = position_of_mark(node.start_mark)
        if isinstance(node, yaml.MappingNode):
            return {
                key: self._value_of(value_node, (*path, key))
                for key, value_node in self._unique_items(node, path)
            }
        if isinstance(node, yaml.SequenceNode):
            return [self._value_of(item, (*path, index)) for index, item in enumerate(node.value)]
        self._sources[path] = node.value
        return self._scalar_of(node)

    def _unique_items(self, node: yaml.MappingNode, path: Path) -> Iterator[tuple[str, yaml.Node]]:
        for key_node, value_node in node.value:
            where = position_of_mark(key_node.start_mark)
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag != TAG + "str":
                shown = key_node.value if isinstance(key_node, yaml.ScalarNode) else "[...]"
                self._problem(where, f"key {quote(shown)} is not text; names begin with a letter")
                continue
            first = self._key_positions.setdefault((*path, key_node.value), where)
            if first is where:
                yield key_node.value, value_node
            else:
                self._problem(
                    where, f"key {quote(key_node.value)} stands twice (first in line {first.line})"
                )

    def _scalar_of(self, node: yaml.Node) -> Value:
        text: str = node.value
        match node.tag.removeprefix(TAG):
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int" | "float" if len(text) > NUMBER_MAX_CHARS:
                self._problem(
                    position_of_mark(node.start_mark), f"number {quote(text)} is too long"
                )
                return 0
            case "int":
                return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
            case "float":
                return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
            case _:
                return text

    def _problem(self, where: Position, message: str) -> None:
        self._problems.append(Problem(position=where, message=message))
