"""Golden files: what a renderer must write, kept beside its test and never edited by hand."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

UPDATE = "--update-goldens"
MAKE_VARIABLES = ("MAKELEVEL", "MAKEFLAGS", "MFLAGS")

CompareGolden = Callable[[str, str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that writes golden files anew."""
    parser.addoption(UPDATE, action="store_true", help="write the golden files anew; read the diff")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> CompareGolden:
    """Compares a text with the golden file of a name in `golden/` beside the test."""
    folder = Path(request.path).parent / "golden"

    def compare(name: str, text: str) -> None:
        path = folder / name
        if request.config.getoption(UPDATE):
            folder.mkdir(exist_ok=True)
            path.write_text(text)
        assert path.is_file(), f"no golden file {path}: pytest {UPDATE}"
        assert text == path.read_text(), f"{path} differs; if that is meant: pytest {UPDATE}"

    return compare


@pytest.fixture(scope="session", autouse=True)
def no_make() -> Iterator[None]:
    """The same under make as without: commands that we suggest are spelled `xenlab`."""
    kept = {name: os.environ.pop(name) for name in MAKE_VARIABLES if name in os.environ}
    yield
    os.environ.update(kept)


@pytest.fixture(scope="session", autouse=True)
def ordinary_signals() -> None:
    """The same in the background and under nohup, which have what they start ignore these."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
