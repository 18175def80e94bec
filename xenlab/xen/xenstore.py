"""XenstoreTree: parts of xenstore as they stood at one moment, read by one command in dom0."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from xenlab.errors import MeasurementError
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline

# xenstore-ls fails for an absent path as it does for an absent xenstored: they are told apart.
READ = """\
for path; do
    xenstore-ls -f "$path" || { xenstore-exists /local && ! xenstore-exists "$path"; } || exit
done
"""

_LINE = re.compile(r'^(?P<path>/.*?) = "(?P<value>.*)"$')
# What xenstore-ls writes for bytes that are not printable (xen/tools/libs/store, sanitise_value).
_ESCAPE = re.compile(r"\\(?P<octal>[0-7]{1,3})|\\(?P<letter>[tnr\\])")
_LETTERS = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}


@dataclass(frozen=True, slots=True, kw_only=True)
class XenstoreTree:
    """Values by absolute path."""

    values: Mapping[str, str]

    def read(self, path: str) -> str | None:
        """The value at a path; None if there is no such node, which is different from empty."""
        return self.values.get(path)

    def keys_under(self, path: str) -> dict[str, str]:
        """All nodes below a path, by their path relative to it."""
        prefix = path.rstrip("/") + "/"
        return {
            node.removeprefix(prefix): value
            for node, value in self.values.items()
            if node.startswith(prefix)
        }


def read_xenstore(shell: Shell, paths: Iterable[str], deadline: Deadline) -> XenstoreTree:
    """What is below these paths; `shell` is dom0's. Raises CommandFailed or MeasurementError.

    Each node costs three questions to xenstored, one after another: the whole store of two domUs
    took 12 s on a busy host. So ask for what is needed.
    """
    told = shell.run_script(READ, *paths, deadline=deadline).require_success()
    return parse_xenstore(told.text.splitlines())


def parse_xenstore(lines: Iterable[str]) -> XenstoreTree:
    """The tree in the output of `xenstore-ls -f`. Raises MeasurementError."""
    values = {}
    for line in lines:
        match = _LINE.match(line)
        if match is None:
            raise MeasurementError(f"xenstore-ls wrote {line[:80]!r}")
        values[match["path"].rstrip()] = _ESCAPE.sub(_unescape, match["value"])
    return XenstoreTree(values=values)


def _unescape(match: re.Match[str]) -> str:
    if match["octal"]:
        return chr(int(match["octal"], 8))
    return _LETTERS[match["letter"]]
