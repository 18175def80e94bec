"""Patch: one file with unified diffs in it, looked at before anything is done with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from xenlab.errors import InputError

NOWHERE = "/dev/null"
HUNK = re.compile(r"@@ -(?P<start>\d+)(?:,(?P<old>\d+))? \+\d+(?:,(?P<new>\d+))? @@")
# What git writes between `diff --git` and the first hunk, where it names files and kinds of them.
EXTENDED = re.compile(r"(?:rename|copy) (?:from|to) (?P<path>.+)")
SPECIAL_MODE = re.compile(r"(?:new file|old|new) mode (?:120000|160000)")
BINARY = re.compile(r"GIT binary patch|Binary files .* differ")
ENCODED = re.compile(r"(?im)^Content-Transfer-Encoding: *(?:base64|quoted-printable)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunk:
    """One hunk: the file it changes, where, and the lines that it must find there.

    `patch_line` is where it stands in the patch, `start` the line of the file that it names, `old`
    the context and the lines that go; `number` counts the hunks of the same file from 1.
    """

    file: str
    number: int
    patch_line: int
    start: int
    old: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """A patch as it lies in a file; reading it refuses what must not be applied anywhere."""

    path: Path
    content: bytes
    files: tuple[str, ...]
    hunks: tuple[Hunk, ...]

    @classmethod
    def read(cls, path: Path) -> Patch:
        """The patch in a file. Raises InputError with all that is wrong about it."""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise InputError(f"{path}: {error.strerror}") from error
        text = content.decode(errors="surrogateescape")
        lines = text.split("\n")
        hunks = tuple(_read_hunks(lines))
        named = [name for _number, name in _read_names(lines)]
        problems = list(_find_problems(path, text, lines))
        if not hunks and not problems:
            hint = "; the mail is encoded: save it with git am" if ENCODED.search(text) else ""
            problems = [f"{path}: no patch in it{hint}"]
        if problems:
            raise InputError(*problems)
        return cls(path=path, content=content, files=tuple(dict.fromkeys(named)), hunks=hunks)


def _find_problems(path: Path, text: str, lines: list[str]) -> Iterator[str]:
    for number, name in _read_names(lines):
        if name.startswith("/") or ".." in name.split("/") or "\0" in name:
            yield f"{path}:{number}: {name!r} leads out of the source tree"
    for number, line in enumerate(lines, start=1):
        if SPECIAL_MODE.fullmatch(line.rstrip("\r")):
            yield f"{path}:{number}: makes a link, which a driver has no use for"
        if BINARY.fullmatch(line.rstrip("\r")):
            yield f"{path}:{number}: changes a binary file, which a driver has none of"
    first = next((number for number, line in enumerate(lines, start=1) if HUNK.match(line)), 0)
    if first and "\r\n" in text and lines[first - 1].endswith("\r"):
        yield f"{path}:{first}: the lines end in CR LF; convert it: sed -i 's/\\r$//' {path.name}"


def _read_names(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Line number and file for each file that is named, without the first part (`a/`, `b/`)."""
    for number, line in enumerate(lines, start=1):
        extended = EXTENDED.fullmatch(line.rstrip("\r"))
        if extended:
            yield number, extended["path"]
        elif line.startswith("--- ") and _next(lines, number).startswith("+++ "):
            for at, header in ((number, line), (number + 1, _next(lines, number))):
                name = _name(header)
                if name != NOWHERE:
                    yield at, name.partition("/")[2] if not name.startswith("/") else name


def _next(lines: list[str], number: int) -> str:
    return lines[number] if number < len(lines) else ""


def _name(header: str) -> str:
    """The file in `--- a/name` or `+++ b/name`; a tab and a date may follow."""
    return header[4:].partition("\t")[0].strip().strip('"')


def _read_hunks(lines: list[str]) -> Iterator[Hunk]:
    """Every hunk, in order; each is as long as its own head says."""
    file, count, left_old, left_new = "", 0, 0, 0
    head: re.Match[str] | None = None
    old: list[str] = []
    at = 0
    for number, line in enumerate(lines, start=1):
        if left_old or left_new:
            left_old -= line[:1] in (" ", "-", "")
            left_new -= line[:1] in (" ", "+", "")
            old += [line[1:]] if line[:1] in (" ", "-", "") else []
        elif line.startswith("+++ ") and _name(line) != NOWHERE:
            file, count = _name(line).partition("/")[2], 0
        elif found := HUNK.match(line):
            head, at, count, old = found, number, count + 1, []
            left_old, left_new = int(found["old"] or 1), int(found["new"] or 1)
        if head and not left_old and not left_new:
            start = int(head["start"])
            yield Hunk(file=file, number=count, patch_line=at, start=start, old=tuple(old))
            head = None
