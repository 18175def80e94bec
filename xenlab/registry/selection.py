"""Which lab is meant, when there may be none, one or several of them."""

from __future__ import annotations

from contextlib import suppress

from xenlab.errors import GuestLost, InputError, LabError
from xenlab.registry.record import LabRecord, LabState, list_lab_names, read_record
from xenlab.topology.wording import did_you_mean, list_names, quote


def choose_lab(name: str | None, *, how: str = "with --lab") -> LabRecord:
    """The record of the lab of that name, or of the only one, in whatever state it is.

    `how` is how this command is told which of several is meant.
    Raises InputError with the labs there are, and LabError for a damaged record.
    """
    names = list_lab_names()
    if name is None:
        name = _choose_only(names, how)
    record = read_record(name) if name in names else None
    if record is None:
        hint = did_you_mean(name, names)
        there = f" (there are {list_names(names)})" if names else ""
        try_next = "xenlab status" if names else "xenlab up"
        raise InputError(f"there is no lab {quote(name)}{hint}{there}", try_next=try_next)
    return record


def require_up(record: LabRecord) -> LabRecord:
    """The record of a lab that can be used now; LabError or GuestLost with what to do otherwise."""
    if not record.alive:
        raise GuestLost(
            f"lab {record.name} has died: its processes are gone",
            try_next=f"xenlab down {record.name}",
        )
    if record.state is LabState.STARTING:
        raise LabError(f"lab {record.name} is still being brought up", try_next="xenlab status")
    return record


def split_node(node: str, lab: str | None) -> tuple[str, str | None]:
    """The node and its lab: `pair/alice` names both. Raises InputError if two labs are named."""
    before, slash, name = node.rpartition("/")
    if not slash:
        return node, lab
    if lab is not None and lab != before:
        raise InputError(f"{quote(node)} is in lab {quote(before)}, but --lab says {quote(lab)}")
    return name, before


def _choose_only(names: tuple[str, ...], how: str) -> str:
    """The one lab that is alive; the one dead lab where none is."""
    alive = [name for name in names if _is_alive(name)]
    candidates = alive or list(names)
    if not candidates:
        raise InputError("no lab is up", try_next="xenlab up")
    if len(candidates) > 1:
        raise InputError(
            f"there are several labs ({list_names(candidates)}): say which {how}",
            try_next="xenlab status",
        )
    return candidates[0]


def _is_alive(name: str) -> bool:
    with suppress(LabError):
        record = read_record(name)
        return record is not None and record.alive
    return False
