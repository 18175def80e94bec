"""Requests are valid names, answers are remembered, and apt is not run for what is known."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from xenlab.debian.package import DebPackage, PackageCache
from xenlab.debian.supply import Answer, PackageSupply, Request, read_answer
from xenlab.errors import InputError, Unavailable
from xenlab.waiting import Deadline

CONTENT = b"the bytes of a package"
PACKAGE = DebPackage(
    name="busybox-static",
    version="1:1.35.0-4+b1",
    architecture="amd64",
    size_bytes=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
)
REQUEST = Request(suite="bookworm", packages=("busybox-static",), without=("debconf",))


def remember(cache: Path, answer: Answer) -> Path:
    path = cache / "requests" / answer.request.file_name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(answer)))
    return path


def offline(cache: Path) -> PackageSupply:
    return PackageSupply(
        cache=cache, report=print, offline=True, refresh=False, deadline=Deadline.after(10)
    )


@pytest.mark.parametrize(
    "name", ["-oDir=/", "a b", "../x", "$(id)", "x", "Linux-Image", "a\n", "", "kmod=", "kmod=-o"]
)
def test_what_cannot_be_a_package_name_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="not the name of a Debian package"):
        Request(suite="bookworm", packages=(name,))


def test_one_version_of_a_package_can_be_asked_for() -> None:
    request = Request(suite="bookworm", packages=("xen-utils=4.17.7+13-g2+deb12u1~1",))

    assert request.file_name != Request(suite="bookworm", packages=("xen-utils",)).file_name


@pytest.mark.parametrize("suite", ["../../etc", "-x", "Bookworm", "a b", "", "sid\n"])
def test_what_cannot_be_a_suite_is_refused(suite: str) -> None:
    with pytest.raises(InputError, match="not the name of a Debian suite"):
        Request(suite=suite, packages=("kmod",))


def test_other_request_has_another_file() -> None:
    others = (
        replace(REQUEST, suite="sid"),
        replace(REQUEST, packages=("kmod",)),
        replace(REQUEST, without=()),
    )

    assert len({REQUEST.file_name, *(other.file_name for other in others)}) == 4


def test_remembered_answer_needs_no_network(tmp_path: Path) -> None:
    remember(tmp_path, Answer(request=REQUEST, packages=(PACKAGE,)))

    assert offline(tmp_path).resolve(REQUEST) == (PACKAGE,)


def test_unknown_request_is_unavailable_while_offline(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="resolving busybox-static needs the network") as told:
        offline(tmp_path).resolve(REQUEST)
    assert told.value.try_next == "the same without --offline"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"request": 1}', "\x00"])
def test_damaged_answer_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    path = remember(tmp_path, Answer(request=REQUEST, packages=(PACKAGE,)))
    path.write_text(text)

    assert read_answer(path) is None


def test_answer_to_what_we_would_not_ask_is_as_good_as_none(tmp_path: Path) -> None:
    path = remember(tmp_path, Answer(request=REQUEST, packages=(PACKAGE,)))
    path.write_text(path.read_text().replace('["busybox-static"]', '["-busybox-static"]'))

    assert read_answer(path) is None


def test_fetched_package_is_used_without_the_network(tmp_path: Path) -> None:
    path = tmp_path / "packages" / "busybox-static_1%3a1.35.0-4+b1_amd64.deb"
    path.parent.mkdir()
    path.write_bytes(CONTENT)

    assert offline(tmp_path).fetch("bookworm", (PACKAGE,)) == (path,)


@pytest.mark.parametrize("content", [b"", CONTENT[:-1], CONTENT.replace(b"p", b"q")])
def test_damaged_package_is_set_aside(tmp_path: Path, content: bytes) -> None:
    cache = PackageCache(folder=tmp_path)
    cache.path(PACKAGE).write_bytes(content)

    assert cache.missing((PACKAGE,)) == (PACKAGE,)
    assert not cache.path(PACKAGE).exists()
    assert (tmp_path / (PACKAGE.file_name + ".bad")).read_bytes() == content


def test_apt_is_asked_for_exactly_one_version() -> None:
    assert PACKAGE.apt_name == "busybox-static:amd64=1:1.35.0-4+b1"
    assert replace(PACKAGE, architecture="all").apt_name == "busybox-static=1:1.35.0-4+b1"
