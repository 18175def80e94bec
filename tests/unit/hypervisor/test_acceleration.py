"""The outcome of a trial of KVM is taken from memory for the state of the host it was made on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from xenlab.hypervisor.acceleration import SCHEMA_VERSION, describe_host, recall_failure
from xenlab.hypervisor.kvm_device import KvmDevice

HOST: dict[str, str | int] = {"kernel": "6.1", "uid": 0}


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    path = tmp_path / "acceleration.json"
    content = {"schema_version": SCHEMA_VERSION, "host": HOST, "failure": "Xen said nothing"}
    path.write_text(json.dumps(content))
    return path


def test_outcome_on_this_host_is_recalled(memory: Path) -> None:
    assert recall_failure(memory, HOST) == "Xen said nothing"


def test_success_is_recalled_as_no_failure(memory: Path) -> None:
    memory.write_text(memory.read_text().replace("Xen said nothing", ""))
    assert recall_failure(memory, HOST) == ""


@pytest.mark.parametrize("change", [{"kernel": "6.2"}, {"uid": 1000}, {"emulator_bytes": 1}])
def test_other_host_has_no_outcome_yet(memory: Path, change: dict[str, str | int]) -> None:
    assert recall_failure(memory, HOST | change) is None


def test_host_that_was_never_tried_has_no_outcome(tmp_path: Path) -> None:
    assert recall_failure(tmp_path / "acceleration.json", HOST) is None


@pytest.mark.parametrize("damage", [b"", b"{", b"7", b"[]", b'{"schema_version": 1}', b"\xff"])
def test_damaged_memory_has_no_outcome(memory: Path, damage: bytes) -> None:
    memory.write_bytes(damage)
    assert recall_failure(memory, HOST) is None


def test_device_that_was_made_anew_is_another_host(tmp_path: Path) -> None:
    device = KvmDevice(path=tmp_path / "kvm")
    device.path.touch()
    before = describe_host(device)
    assert describe_host(device) == before
    device.path.unlink()
    device.path.touch()
    assert describe_host(device) != before
