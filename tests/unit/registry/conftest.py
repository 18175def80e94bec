"""Records of labs in a state directory of the test's own."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from xenlab.registry.identity import ProcessIdentity
from xenlab.registry.places import runtime_root
from xenlab.registry.record import LabRecord, LabState

WriteLab = Callable[..., LabRecord]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    yield tmp_path / "state" / "xenlab"
    shutil.rmtree(runtime_root(), ignore_errors=True)  # root's is not below XDG_RUNTIME_DIR


@pytest.fixture
def write_lab(state: Path) -> WriteLab:
    """Writes the record of a lab that is up and whose owner is the test, or is dead."""

    def write(name: str, *, alive: bool = True, starting: bool = False) -> LabRecord:
        own = ProcessIdentity.own()
        owner = own if alive else replace(own, start_ticks=own.start_ticks - 1)
        record = LabRecord(
            name=name, lab_id=f"{name:x<8}", state=LabState.STARTING if starting else LabState.UP,
            transient=False, creator=owner, created_unix_s=time.time(), topology="pair",
            plan_json="{}", accel="tcg", accel_reason="a test", machine_uuid="", sandbox=owner,
        )  # fmt: skip
        record.places.state.mkdir(parents=True)
        record.write()
        return record

    return write
