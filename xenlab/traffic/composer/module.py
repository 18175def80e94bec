"""The kernel module xlcompose on a node: loaded, asked for its state, and taken out again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from xenlab.errors import MeasurementError
from xenlab.traffic.handle import LabHandle
from xenlab.transport.shell import Shell
from xenlab.undoing import undone
from xenlab.waiting import Deadline

LOAD_S = 30.0

NAME = "xlcompose"
FILE = f"/run/{NAME}.ko"
STATE = f"/sys/class/misc/{NAME}/state"
REFUSAL = f"/sys/class/misc/{NAME}/refusal"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleState:
    """What has not come back yet, and what is kept for the next batch."""

    outstanding_skbs: int
    outstanding_pages: int
    pool_pages: int


@contextmanager
def loaded(lab: LabHandle, node: str, module: bytes) -> Iterator[None]:
    """The module's file in a node's kernel, as long as the context lasts.

    Taking it out fails, with CommandFailed, while skbs of it are still on their way.
    """
    shell, deadline = lab.shell(node), lab.budget(LOAD_S)
    shell.write_file(FILE, module, deadline=deadline)
    shell.run(["insmod", FILE], deadline=deadline).require_success()

    def take_out() -> None:
        shell.run(["rmmod", NAME], deadline=lab.budget(LOAD_S)).require_success()

    with undone(take_out):
        yield


def read_state(shell: Shell, deadline: Deadline) -> ModuleState:
    """The module's own account of skbs and pages. Raises MeasurementError or CommandFailed."""
    text = shell.read_file(STATE, deadline=deadline).decode()
    counters = {name: int(value) for name, value in map(str.split, text.splitlines())}
    try:
        return ModuleState(**counters)
    except TypeError as error:
        raise MeasurementError(f"{shell.where}: {STATE} has {sorted(counters)}") from error
