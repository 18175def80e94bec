"""Every command here has a home of its own: no setting, lab or cache of whoever runs the tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from xenlab.cli.main import run
from xenlab.registry.places import runtime_root

FOLDERS = {
    "HOME": "home",
    "XDG_CACHE_HOME": "cache",
    "XDG_CONFIG_HOME": "config",
    "XDG_RUNTIME_DIR": "run",
    "XDG_STATE_HOME": "state",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in [name for name in os.environ if name.startswith("XENLAB_")]:
        monkeypatch.delenv(name)
    for variable, folder in FOLDERS.items():
        monkeypatch.setenv(variable, str(tmp_path / folder))
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    yield tmp_path
    shutil.rmtree(runtime_root(), ignore_errors=True)  # root's is not below XDG_RUNTIME_DIR


@pytest.fixture
def xenlab(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run_words(*words: str) -> Said:
        code = run(list(words))
        said = capsys.readouterr()
        return Said(code=code, out=said.out, err=said.err)

    return run_words
