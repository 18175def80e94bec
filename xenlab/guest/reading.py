"""Many small files and device statistics of a node, read by one program: they start slowly."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xenlab.errors import MeasurementError
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline

XLFLOW = "xlflow"

_STATISTIC = re.compile(r"(?P<name>[^:]+): (?P<value>\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFiles:
    """Lines by path, and `ethtool -S` by device; what is not there was not there, or empty."""

    files: Mapping[str, tuple[str, ...]]
    statistics: Mapping[str, Mapping[str, int]]

    def number(self, path: str) -> int | None:
        """The number that a file holds; None if there is no such file, or something else in it."""
        lines = self.files.get(path, ())
        if len(lines) == 1 and lines[0].strip().isdigit():
            return int(lines[0])
        return None

    def number_or(self, path: str, otherwise: int) -> int:
        """The same; `otherwise` where there is no such file. Raises MeasurementError for words."""
        number = self.number(path)
        if number is None and path in self.files:
            raise MeasurementError(f"{path}: no number in {' '.join(self.files[path])!r}")
        return otherwise if number is None else number


def read_node_files(
    shell: Shell, patterns: Sequence[str], devices: Sequence[str], deadline: Deadline
) -> NodeFiles:
    """Files by absolute patterns without blanks, and devices by name. Raises LabError."""
    argv = [XLFLOW, "read", *patterns, "--", *devices]
    return parse_node_files(shell.run(argv, deadline=deadline).require_success().text)


def parse_node_files(text: str) -> NodeFiles:
    """What that command wrote."""
    files: dict[str, list[str]] = {}
    statistics: dict[str, dict[str, int]] = {}
    for line in text.splitlines():
        source, _colon, content = line.partition(":")
        if source.startswith("/"):
            files.setdefault(source, []).append(content)
        elif match := _STATISTIC.fullmatch(content.strip()):
            statistics.setdefault(source, {})[match["name"]] = int(match["value"])
    return NodeFiles(
        files={path: tuple(lines) for path, lines in files.items()}, statistics=statistics
    )
