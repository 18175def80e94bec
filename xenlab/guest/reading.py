"""Many small files and device statistics of a node, read in one command: programs start slowly."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline

# Patterns of files, `--`, devices. `grep -H ""` puts a file's name before each of its lines; a
# pattern that matches nothing is a file that is not there.
READ = """
files=
while [ "$1" != -- ]; do files="$files $1"; shift; done
shift
grep -sH "" $files </dev/null
for device; do
        ethtool -S "$device" 2>/dev/null | while read -r line; do echo "$device:$line"; done
done
:
"""

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


def read_node_files(
    shell: Shell, patterns: Sequence[str], devices: Sequence[str], deadline: Deadline
) -> NodeFiles:
    """Files by absolute patterns without blanks, and devices by name. Raises LabError."""
    answer = shell.run_script(READ, *patterns, "--", *devices, deadline=deadline).require_success()
    return parse_node_files(answer.text)


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
