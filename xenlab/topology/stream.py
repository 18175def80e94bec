"""Hardened YAML: bytes -> nodes of the YAML 1.2 core schema, within limits no input gets around.

YAML 1.1 as PyYAML reads it turns `mac: 52:54:00:12:34:56` into a number, `off` into False and
`6.10` into 6.1, and lets aliases grow without bound. Here only the scalars of the YAML 1.2 core
schema (YAML 1.2.2, 10.3.2) are special, and the limits are checked on the flat event stream,
before anything recursive sees the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

import yaml

from xenlab.topology.wording import quote

FILE_MAX_BYTES = 1 << 20
ALIASES_MAX = 100
NODES_MAX = 10_000
DEPTH_MAX = 30
TAG = "tag:yaml.org,2002:"
# The beginning and the end of what libyaml says of a bracket and of a character out of place.
UNEXPECTED = "did not find expected"
UNSTARTABLE = "cannot start any token"
# YAML 1.2.2, 5.1: what a stream may hold, apart from NUL and the other control characters.
UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Position:
    """A place in the file, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong, and where."""

    position: Position
    message: str


START = Position(line=1, column=1)


class Unreadable(Exception):
    """The text is not YAML, or more of it than is allowed: there are no values to check."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message)


class CoreLoader(yaml.CSafeLoader):
    """libyaml's parser with the scalars of the YAML 1.2 core schema and no others."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML's own attribute, replaced whole


FLOAT_PATTERN = (
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
# PyYAML wants, beside each pattern, every character that such a scalar can begin with.
for _tag, _pattern, _first_chars in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", [*"tTfF"]),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", [*"-+0123456789"]),
    ("float", FLOAT_PATTERN, [*"-+.0123456789"]),
):
    CoreLoader.add_implicit_resolver(TAG + _tag, re.compile(rf"(?:{_pattern})\Z"), _first_chars)


class _Mark(Protocol):
    line: int
    column: int


def read_root(raw: bytes) -> yaml.Node:
    """The root node of one YAML document. Raises Unreadable for what is not that."""
    text = _decode(raw)
    try:
        _check_limits(text)
        loader = CoreLoader(text)
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise _explain(error, text) from error
    except yaml.YAMLError as error:
        raise _unreadable(START, f"not YAML: {error}") from error
    if root is None:
        raise _unreadable(START, "the file is empty")
    return root


def _decode(raw: bytes) -> str:
    """UTF-8 text without a byte order mark and without control characters."""
    if len(raw) > FILE_MAX_BYTES:
        raise _unreadable(START, "the file is larger than 1 MiB")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig", "replace")
        raise _unreadable(_end_of(before), "not UTF-8") from error
    if found := UNPRINTABLE.search(text):
        char = ord(found.group())
        raise _unreadable(_end_of(text[: found.start()]), f"control character U+{char:04X}")
    return text


def _check_limits(text: str) -> None:
    """Refuse depth, tags, aliases and expanded size beyond the limits, on the flat event stream."""
    loader, limits = CoreLoader(text), _Limits()
    try:
        while (event := loader.get_event()) is not None:
            limits.count(event)
    except yaml.MarkedYAMLError as error:
        raise _explain(error, text, limits.bracket) from error
    finally:
        loader.dispose()


def _explain(error: yaml.MarkedYAMLError, text: str, bracket: str = "") -> Unreadable:
    """What libyaml says and where; `bracket` is the innermost one that is open there, if any."""
    mark = error.problem_mark or error.context_mark
    where = position_of_mark(mark) if mark else START
    what = str(error.problem or error.context)
    if mark and what.endswith(UNSTARTABLE) and text[mark.index : mark.index + 1] == "\t":
        what = "a tab, where YAML is indented with spaces"
    if bracket and what.startswith(UNEXPECTED):
        what += f"; {bracket} is still open"
    return _unreadable(where, f"not YAML: {what}")


class _Limits:
    """Counts nodes as if every alias were written out, without writing any out."""

    def __init__(self) -> None:
        self._nodes = 0
        self._names = 0
        self._sizes: dict[str, int] = {}
        self._open: list[tuple[str | None, int, str]] = []

    @property
    def bracket(self) -> str:
        """The innermost bracket that is open, with its line; nothing where none is."""
        return self._open[-1][2] if self._open else ""

    def count(self, event: yaml.Event) -> None:
        """Take one event. Raises Unreadable at the first limit passed."""
        where = position_of_mark(event.start_mark) if event.start_mark else START
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, nodes_before, _ = self._open.pop()
            if anchor is not None:
                self._sizes[anchor] = self._nodes - nodes_before
        elif isinstance(event, yaml.NodeEvent):
            self._count_name(event.anchor, where)
            self._count_node(event, where)
            if self._nodes > NODES_MAX:
                raise _unreadable(where, f"more than {NODES_MAX} values, aliases written out")

    def _count_name(self, anchor: str | None, where: Position) -> None:
        self._names += anchor is not None
        if self._names > ALIASES_MAX:
            raise _unreadable(where, f"more than {ALIASES_MAX} anchors and aliases")

    def _count_node(self, event: yaml.NodeEvent, where: Position) -> None:
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._sizes:
                raise _unreadable(where, f"alias {quote(event.anchor)} has no finished anchor")
            self._nodes += self._sizes[event.anchor]
            return
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag:
            raise _unreadable(where, f"tags such as {quote(event.tag)} are refused")
        if isinstance(event, yaml.CollectionStartEvent):
            self._open.append((event.anchor, self._nodes, _bracket_of(event, where)))
            if len(self._open) > DEPTH_MAX:
                raise _unreadable(where, f"nested more than {DEPTH_MAX} deep")
        elif event.anchor is not None:
            self._sizes[event.anchor] = 1
        self._nodes += 1


def _bracket_of(event: yaml.CollectionStartEvent, where: Position) -> str:
    """The bracket that a collection begins with, and its line; nothing for an indented one."""
    sign = "[" if isinstance(event, yaml.SequenceStartEvent) else "{"
    return f"the `{sign}` of line {where.line}" if event.flow_style else ""


def position_of_mark(mark: _Mark) -> Position:
    """PyYAML counts lines and columns from 0, editors from 1."""
    return Position(line=mark.line + 1, column=mark.column + 1)


def _end_of(text: str) -> Position:
    last_line = text.rpartition("\n")[2]
    return Position(line=text.count("\n") + 1, column=len(last_line) + 1)


def _unreadable(where: Position, message: str) -> Unreadable:
    return Unreadable(Problem(position=where, message=message))
