"""A driver that a test needs as its control, and that this kernel's source does not take."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from tests.unit.kernel.elf import make_elf, pack_note
from xenlab.errors import InputError, MeasurementError
from xenlab.kernel.module_file import ModuleFile
from xenlab.life.order import UpOrder
from xenlab.plan.model import LabPlan
from xenlab.traffic.drivers import drivers_exchanged, netfront_replaced
from xenlab.traffic.handle import LabHandle
from xenlab.transport.shell import CommandResult
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import verdict_of_error
from xenlab.waiting import Deadline

LIMIT = "netfront-slots-limit"
RELEASE = "6.9.0-mine"
NETFRONT = "drivers/net/xen-netfront.c"
PROGRAMS = {"gcc": "echo 'gcc (Debian 12.2.0-14) 12.2.0'", "make": "", "ld": "", "strip": ""}
NOTE = pack_note("GNU", 3, b"\x01" * 20)


@dataclass(frozen=True)
class Still:
    """A node whose loaded driver lies there, and that is to load no other."""

    where: str

    def read_file(self, _path: str, *, deadline: Deadline) -> bytes:  # noqa: ARG002
        return NOTE

    def run(self, argv: Sequence[str], *, deadline: Deadline) -> CommandResult:  # noqa: ARG002
        assert argv[:2] == ["test", "-e"], argv
        return CommandResult(
            where=self.where, argv=tuple(argv), status=0, stdout=b"", stderr=b"", elapsed_s=0.0
        )


@dataclass(frozen=True)
class StillLab:
    """A lab of such nodes."""

    plan: LabPlan

    def shell(self, node: str) -> Still:
        return Still(node)

    def budget(self, seconds: float) -> Deadline:
        return Deadline.after(seconds)


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LabHandle:
    """Its kernels were built elsewhere, and the tree is not known yet."""
    for name, script in PROGRAMS.items():
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    modules = tmp_path / "modules" / RELEASE
    modules.mkdir(parents=True)
    (modules / "modules.builtin").write_text("")
    (tmp_path / "bzImage").write_bytes(b"")
    word = f"{tmp_path / 'bzImage'}:{modules}"
    order = UpOrder(topology="pair", dom0_kernel=word, domu_kernel=(word,))
    return cast(LabHandle, StillLab(order.plan()))


@pytest.fixture
def tree(lab: LabHandle, tmp_path: Path) -> Path:
    """Where those kernels were built: their netfront is no other's."""
    assert lab.plan.domus
    tree = tmp_path / "modules" / RELEASE / "build"
    (tree / "drivers/net/xen-netback").mkdir(parents=True)
    (tree / NETFRONT).write_text("int front;\n")
    (tree / ".config").write_text("CONFIG_GCC_VERSION=120200\n")
    (tree / "Module.symvers").write_text("")
    return tree


def replace_netfront(lab: LabHandle, driver: str) -> None:
    with netfront_replaced(lab, "alice", driver):
        raise AssertionError("it cannot be had")


def test_control_whose_hunk_does_not_fit_leaves_the_test_inconclusive(
    lab: LabHandle, tree: Path, tmp_path: Path
) -> None:
    with pytest.raises(MeasurementError) as raised:
        replace_netfront(lab, LIMIT)

    told = verdict_of_error("x", "y", raised.value)
    assert told is not None
    assert told.outcome is Outcome.INCONCLUSIVE
    first = f"the control {LIMIT} cannot be built for {tmp_path / 'bzImage'}: "
    assert told.reasons[0].startswith(first)
    assert f"hunk 1 of {NETFRONT} does not apply" in told.reasons[0]
    assert (tree / NETFRONT).read_text() == "int front;\n"


def test_control_without_the_source_that_it_goes_on_is_inconclusive(lab: LabHandle) -> None:
    with pytest.raises(MeasurementError, match=f"the control {LIMIT} cannot be built for .*build"):
        replace_netfront(lab, LIMIT)


def test_control_without_a_compiler_is_inconclusive_and_says_how_to_get_one(
    lab: LabHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin/gcc").unlink()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    with pytest.raises(MeasurementError, match="the program `gcc` is not installed") as raised:
        replace_netfront(lab, LIMIT)

    assert raised.value.try_next == "apt-get install gcc"


def test_built_control_of_another_kernel_is_inconclusive(lab: LabHandle, tmp_path: Path) -> None:
    text = b"name=xen_netfront\0vermagic=5.10.0-other SMP\0"
    module = tmp_path / "xen-netfront.ko"
    module.write_bytes(make_elf(sections={".modinfo": text, ".note.gnu.build-id": NOTE}))
    assert ModuleFile.read(module).release == "5.10.0-other"

    with pytest.raises(MeasurementError, match=r"xen-netfront\.ko cannot be built for"):
        replace_netfront(lab, str(module))


def test_driver_that_nobody_knows_stays_a_mistake(lab: LabHandle) -> None:
    with pytest.raises(InputError, match="no such file, folder or series"):
        replace_netfront(lab, "netfront-slots-limits")


def test_control_among_drivers_that_take_turns_is_inconclusive_too(
    lab: LabHandle, tree: Path
) -> None:
    assert tree.is_dir()
    with (
        pytest.raises(MeasurementError, match="the control negotiated-slots cannot be built for"),
        drivers_exchanged(lab, "alice") as drivers,
    ):
        drivers.run(LIMIT, "negotiated-slots")
