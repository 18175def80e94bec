"""Patch: unified diffs that belong together, looked at before anything is done with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from xenlab.errors import InputError
from xenlab.kernel.mailbox import Mail, split_mails

NOWHERE = "/dev/null"
HUNK = re.compile(r"@@ -(?P<start>\d+)(?:,(?P<old>\d+))? \+\d+(?:,(?P<new>\d+))? @@")
# git's own header of a file's part (git/Documentation/diff-generate-patch.txt): it ends with the
# first line of another kind. The same words in a commit's message are prose.
GIT = re.compile(r"diff --git a/(?P<path>.+) b/(?P=path)")
BEGINS = "diff --git "
EXTENDED = re.compile(r"(?:rename|copy) (?:from|to) (?P<path>.+)")
OTHERS = (
    "old mode ", "new mode ", "deleted file ", "new file ", "similarity ", "dissimilarity ",
    "index ",
)  # fmt: skip
SPECIAL_MODE = re.compile(r"(?:new file|old|new) mode (?:120000|160000)")
BINARY = re.compile(r"GIT binary patch|Binary files .* differ")
# Any of it means that somebody meant a patch, however damaged it is.
MAKES_A_PATCH = re.compile(r"diff --git |--- \S+/|\+\+\+ \S+/|@@ -|GIT binary patch")
ABBREVIATED = 12  # digits of a commit, as in Linux' own messages


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunk:
    """One hunk: the file it changes, where, and the lines that it must find there.

    `file` is called as it is before the patch, if it is there: a rename or a removal comes later.
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
    """One patch as it lies in a file, or in a mail of it; `mail` is its number if it has more.

    Reading it refuses what must not be applied anywhere. Lines are counted in its own content, of
    which `lines_before` stand above it in the file.
    """

    path: Path
    content: bytes
    files: tuple[str, ...]
    hunks: tuple[Hunk, ...]
    lines_before: int = 0
    mail: int = 0
    encoded: bool = False
    subject: str = ""
    commit: str = ""

    @property
    def title(self) -> str:
        """How people call it: its commit and subject, or the file's name."""
        if self.commit:
            return f'{self.commit[:ABBREVIATED]} ("{self.subject}")'
        return self.subject or self.path.name

    @property
    def place(self) -> str:
        """Where it is, for messages on the whole of it."""
        return f"{self.path} (mail {self.mail})" if self.mail else str(self.path)

    def at(self, line: int) -> str:
        """Where one of its lines is, in words that an editor takes where the line is in a file."""
        if self.encoded:
            return f"{self.place}:{line} of the decoded text"
        return f"{self.path}:{self.lines_before + line}"

    @classmethod
    def parse(cls, path: Path, mail: Mail, *, alone: bool) -> Patch:
        """The patch in a mail; it may change no file. Raises InputError for a bad one."""
        text = mail.content.decode(errors="surrogateescape")
        lines = text.split("\n")
        named = [name for _number, name in _read_names(lines)]
        patch = cls(
            path=path,
            content=mail.content,
            files=tuple(dict.fromkeys(named)),
            hunks=tuple(_read_hunks(lines)),
            lines_before=mail.lines_before,
            mail=0 if alone else mail.number,
            encoded=mail.encoded,
            subject=mail.subject,
            commit=mail.commit,
        )
        problems = tuple(_find_problems(patch, lines))
        if problems:
            raise InputError(*problems)
        return patch


def read_patches(path: Path) -> tuple[Patch, ...]:
    """The patch of a file, or the patches of a mailbox. Raises InputError with all that is wrong.

    Mails without a patch, such as cover letters, are none; but one there has to be.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    return parse_patches(path, content)


def parse_patches(path: Path, content: bytes) -> tuple[Patch, ...]:
    """The same for what would be in that file."""
    mails = split_mails(content)
    patches: list[Patch] = []
    problems: list[str] = []
    for mail in mails:
        try:
            patches.append(Patch.parse(path, mail, alone=len(mails) == 1))
        except InputError as error:
            problems += error.problems
    wanted = tuple(patch for patch in patches if patch.files or patch.hunks)
    if not wanted and not problems:
        problems = [f"{path}: no patch in it"]
    if problems:
        raise InputError(*problems)
    return wanted


def is_letter(content: bytes) -> bool:
    """Whether it is mail, and all of it without a patch, such as a cover letter."""
    mails = split_mails(content)
    lines = (line for mail in mails for line in mail.content.decode(errors="replace").splitlines())
    return all(mail.subject for mail in mails) and not any(map(MAKES_A_PATCH.match, lines))


def _find_problems(patch: Patch, lines: list[str]) -> Iterator[str]:
    for number, name in _read_names(lines):
        if name.startswith("/") or ".." in name.split("/") or "\0" in name:
            yield f"{patch.at(number)}: {name!r} leads out of the source tree"
    for number, line in _read_headers(lines):
        if SPECIAL_MODE.fullmatch(line):
            yield f"{patch.at(number)}: makes a link, which a driver has no use for"
        if BINARY.fullmatch(line):
            yield f"{patch.at(number)}: changes a binary file, which a driver has none of"
    first = next((number for number, line in enumerate(lines, start=1) if HUNK.match(line)), 0)
    if first and lines[first - 1].endswith("\r"):
        yield (
            f"{patch.at(first)}: the lines end in CR LF;"
            f" convert it: sed -i 's/\\r$//' {patch.path.name}"
        )


def _read_names(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Line number and file for each file that is named, without the first part (`a/`, `b/`)."""
    for number, line in _read_headers(lines):
        named = GIT.fullmatch(line) or EXTENDED.fullmatch(line)
        if named:
            yield number, named["path"]
    for number, line in enumerate(lines, start=1):
        if line.startswith("--- ") and _next(lines, number).startswith("+++ "):
            for at, header in ((number, line), (number + 1, _next(lines, number))):
                name = _name(header)
                if name != NOWHERE:
                    yield at, name.partition("/")[2] if not name.startswith("/") else name


def _read_headers(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Line number and text of what git's headers say, above the first hunk of each file."""
    inside = False
    for number, each in enumerate(lines, start=1):
        line = each.rstrip("\r")
        known = line.startswith(OTHERS) or EXTENDED.fullmatch(line)
        inside = line.startswith(BEGINS) or (inside and bool(known or BINARY.fullmatch(line)))
        if inside:
            yield number, line


def _next(lines: list[str], number: int) -> str:
    return lines[number] if number < len(lines) else ""


def _name(header: str) -> str:
    """The file in `--- a/name` or `+++ b/name`; a tab and a date may follow."""
    return header[4:].partition("\t")[0].strip().strip('"')


def _read_hunks(lines: list[str]) -> Iterator[Hunk]:
    """Every hunk, in order; each is as long as its own head says."""
    file, before, count, left_old, left_new = "", "", 0, 0, 0
    head: re.Match[str] | None = None
    old: list[str] = []
    at = 0
    for number, line in enumerate(lines, start=1):
        if left_old or left_new:
            left_old -= line[:1] in (" ", "-", "")
            left_new -= line[:1] in (" ", "+", "")
            old += [line[1:]] if line[:1] in (" ", "-", "") else []
        elif line.startswith("--- ") and _next(lines, number).startswith("+++ "):
            before = _name(line)
        elif line.startswith("+++ "):
            name = _name(line) if before in {"", NOWHERE} else before
            file, before, count = name.partition("/")[2], "", 0
        elif found := HUNK.match(line):
            head, at, count, old = found, number, count + 1, []
            left_old, left_new = int(found["old"] or 1), int(found["new"] or 1)
        if head and not left_old and not left_new:
            start = int(head["start"])
            yield Hunk(file=file, number=count, patch_line=at, start=start, old=tuple(old))
            head = None
