"""The end of a lab: its machine, its processes and its directories, whatever state it is in."""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import partial

from xenlab.errors import GuestLost, LabError, Unavailable
from xenlab.hypervisor.connection import connect
from xenlab.hypervisor.machine import Machine
from xenlab.hypervisor.peer_xml import peer_uuid
from xenlab.life.host_leaving import leave_host
from xenlab.registry.lock import hold_lab
from xenlab.registry.record import LabRecord, list_lab_names
from xenlab.registry.sweep import discard_lab, remove_lab, sweep_dead_labs
from xenlab.waiting import Deadline

CONNECT_LIMIT_S = 10.0


def take_down(name: str) -> bool:
    """End the lab; whether there was one. Unavailable, naming the owner, while another has it."""
    with hold_lab(name, busy_with="xenlab down"):
        return discard_lab(name, remove_whole_lab)


def take_down_all() -> tuple[str, ...]:
    """End every lab; their names."""
    return tuple(name for name in list_lab_names() if take_down(name))


def sweep() -> tuple[str, ...]:
    """End what labs without a living owner left behind; the labs' names."""
    return sweep_dead_labs(partial(remove_whole_lab, may_reset=False))


def render_farewell(name: str) -> str:
    """What somebody who interrupts us is told before the lab goes, which takes a moment."""
    return f"interrupted: taking lab {name} down (once more: end at once, and sweep later)"


def remove_whole_lab(record: LabRecord, *, may_reset: bool = True) -> None:
    """End a lab; with a libvirtd that is not ours its machine is not among our processes.

    With a host that was there already, what the lab has there goes first: see `leave_host`, also
    for what this raises.
    """
    if record.host:
        try:
            leave_host(record, may_reset=may_reset)
        except LabError:
            remove_lab(record)
            raise
    if record.connect_uri:
        with suppress(LabError):  # whose machine is gone, or whose daemon, has nothing left to end
            _end_machine(record)
    remove_lab(record)


def remove_after_run(record: LabRecord, *, well: bool) -> None:
    """End a lab behind a run; of one that was not well the results tell, not what failed here."""
    try:
        remove_whole_lab(record)
    except (LabError, Unavailable) as error:
        if well:
            raise
        sys.stderr.write(f"{error.what}\n")


def _end_machine(record: LabRecord) -> None:
    connection = connect(record.connect_uri, Deadline.after(CONNECT_LIMIT_S))
    try:
        for uuid in (peer_uuid(record.machine_uuid), record.machine_uuid):
            with suppress(GuestLost):  # an outside peer there may never have been
                machine = Machine.find(connection, uuid)
                machine.destroy()
                machine.undefine()
    finally:
        connection.close()
