"""The host's own Debian sources, turned towards any suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from xenlab.debian.sources import DebianSource, _read_signed_by, sources_of_suite

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def source(suite: str, address: str = "http://mirror.example.org/debian/") -> DebianSource:
    return DebianSource(address=address, suite=suite, components=("main",), signed_by=KEYRING)


HOST = (
    source("bookworm"),
    source("bookworm-updates"),
    source("bookworm-backports"),
    source("bookworm-security", "http://mirror.example.org/debian-security/"),
)


def test_suite_takes_the_place_of_the_hosts_own() -> None:
    suites = [one.suite for one in sources_of_suite(HOST, "trixie")]

    assert suites == ["trixie", "trixie-security", "trixie-updates"]


@pytest.mark.parametrize("suite", ["sid", "unstable", "experimental"])
def test_rolling_suite_has_one_archive(suite: str) -> None:
    assert [one.suite for one in sources_of_suite(HOST, suite)] == [suite]


def test_two_suites_of_one_mirror_become_one_source() -> None:
    host = (source("bookworm"), source("sid"))

    assert sources_of_suite(host, "trixie") == (source("trixie"),)


def test_stanza_is_what_apt_reads() -> None:
    assert source("sid").render() == (
        "Types: deb\n"
        "URIs: http://mirror.example.org/debian/\n"
        "Suites: sid\n"
        "Components: main\n"
        "Architectures: amd64\n"
        f"Signed-By: {KEYRING}\n"
    )


def test_stanza_without_keys_leaves_them_to_apt() -> None:
    bare = DebianSource(address="http://x", suite="sid", components=("main",), signed_by="")

    assert "Signed-By" not in bare.render()


SOURCES = f"""# the first stanza
Types: deb
URIs: http://mirror.example.org/debian
# Signed-By: /not/this/one.gpg
Suites: bookworm
Components: main
Signed-By: {KEYRING}


Types: deb
URIs: http://other.example.org
Suites: bookworm
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb
URIs: http://third.example.org
"""


def test_keys_of_a_deb822_stanza_are_found_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "debian.sources"
    path.write_text(SOURCES)

    assert _read_signed_by(f"{path}:1") == KEYRING
    assert _read_signed_by(f"{path}:2").splitlines()[1:] == [
        " -----BEGIN PGP PUBLIC KEY BLOCK-----",
        " .",
        " abc",
        " -----END PGP PUBLIC KEY BLOCK-----",
    ]
    assert _read_signed_by(f"{path}:3") == ""


def test_keys_of_a_one_line_entry_are_found_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "debian.list"
    path.write_text(
        "# comment\n"
        f"deb [arch=amd64 signed-by={KEYRING}] http://mirror.example.org/debian bookworm main\n"
        "deb http://mirror.example.org/debian bookworm-updates main\n"
    )

    assert _read_signed_by(f"{path}:2") == KEYRING
    assert _read_signed_by(f"{path}:3") == ""
