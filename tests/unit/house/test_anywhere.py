"""The repository holds for anyone, anywhere: no path of one machine, no host, no page it lacks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.house.repository import ROOT, list_files, read_lines

# Mirrors, registries and proxies are the host's own business: apt and pip know them.
HOSTS = re.compile(
    r"\b(?:[\w-]+\.)*(?:debian\.org/debian|debian\.net|ubuntu\.com|pypi\.org|pythonhosted\.org"
    r"|npmjs\.org)\b"
    r"|\b(?:deb|ftp|security|snapshot|archive)\.debian\.org\b"
    r"|--(?:extra-)?index-url|--trusted-host|--find-links"
)
HOMES = re.compile(r"(?<![\w.$}])/(?:home|Users)/(?!vagrant/)\w|(?<![\w.$}])/work/")
PAGE = re.compile(r"(?<![\w/.-])((?:[\w.-]+/)*[\w-]+\.md)\b")
TEXTS = ("*.py", "*.md", "*.toml", "*.yaml", "*.sh", "*.c", "*.h", "*.lock", "*.in", "Makefile")


def find_foreign(text: str, *, machine: tuple[str, ...]) -> list[str]:
    """Whatever in `text` names a host, somebody's folder or one of this machine's own paths."""
    found = [match.group() for pattern in (HOSTS, HOMES) for match in pattern.finditer(text)]
    return found + [path for path in machine if path in text]


def own_paths() -> tuple[str, ...]:
    """Where this checkout and its user's home happen to be, unless that says nothing."""
    return tuple(str(path) for path in (ROOT, Path.home()) if len(path.parts) > 2)


def test_no_file_names_a_host_or_a_path_of_one_machine() -> None:
    machine = own_paths()
    foreign = [
        f"{path.relative_to(ROOT)}:{number}: {found}"
        for path in list_files()
        if path not in {Path(__file__), ROOT / "Vagrantfile"}  # that one names a path in its box
        for number, line in enumerate(read_lines(path), start=1)
        for found in find_foreign(line, machine=machine)
    ]

    assert foreign == []


def test_every_page_that_is_named_is_in_the_repository() -> None:
    files = list_files()
    pages = {path.name for path in files if path.suffix == ".md"}
    missing = [
        f"{path.relative_to(ROOT)}:{number}: {page}"
        for path in list_files(*TEXTS)
        if path != Path(__file__)
        for number, line in enumerate(read_lines(path), start=1)
        for page in PAGE.findall(line)
        if Path(page).name not in pages
    ]

    assert missing == []


@pytest.mark.parametrize(
    "text",
    [
        "deb http://deb.debian.org/debian bookworm main",
        "https://files.pythonhosted.org/packages/x.whl",
        "--index-url something",
        "see /home/somebody/notes",
        "open('/srv/checkout/file')",
    ],
)
def test_each_kind_of_foreign_name_is_found(text: str) -> None:
    assert find_foreign(text, machine=("/srv/checkout",))


@pytest.mark.parametrize("text", ["/home/vagrant/xenlab", "$HOME/.cache", "docs/decisions/"])
def test_what_holds_anywhere_is_left_alone(text: str) -> None:
    assert find_foreign(text, machine=("/srv/checkout",)) == []
