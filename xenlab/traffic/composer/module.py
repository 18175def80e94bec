"""The kernel module xlcompose on a node: asked for its state."""

from __future__ import annotations

from dataclasses import dataclass

from xenlab.errors import MeasurementError
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline

NAME = "xlcompose"
STATE = f"/sys/class/misc/{NAME}/state"
REFUSAL = f"/sys/class/misc/{NAME}/refusal"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleState:
    """What has not come back yet, and what is kept for the next batch."""

    outstanding_skbs: int
    outstanding_pages: int
    pool_pages: int


def read_state(shell: Shell, deadline: Deadline) -> ModuleState:
    """The module's own account of skbs and pages. Raises MeasurementError or CommandFailed."""
    text = shell.read_file(STATE, deadline=deadline).decode()
    counters = {name: int(value) for name, value in map(str.split, text.splitlines())}
    try:
        return ModuleState(**counters)
    except TypeError as error:
        raise MeasurementError(f"{shell.where}: {STATE} has {sorted(counters)}") from error
