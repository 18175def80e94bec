"""What a lab stands on: its directories, and a libvirtd that answers."""

from __future__ import annotations

import dataclasses
import shutil
from dataclasses import dataclass

from xenlab.hypervisor.connection import Connection, connect
from xenlab.hypervisor.daemon import LibvirtDaemon
from xenlab.hypervisor.daemon_user import DaemonUser
from xenlab.hypervisor.kvm_device import KvmDevice
from xenlab.registry.places import LabPlaces
from xenlab.registry.record import LabRecord
from xenlab.waiting import Deadline

DAEMON_BUDGET_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A connection to the libvirtd that runs this lab's machine."""

    record: LabRecord
    connection: Connection


def make_directories(places: LabPlaces) -> None:
    """The lab's directories, empty; what an earlier try left in them is gone."""
    for directory in (places.state, places.cache):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for directory in (places.logs, places.boot, places.keys):
        shutil.rmtree(directory, ignore_errors=True)
    for directory in (places.logs, places.boot):
        directory.mkdir(mode=0o711)
    DaemonUser.choose().own(places.logs)


def start_host(record: LabRecord, *, kvm: bool, deadline: Deadline) -> Host:
    """Start the private daemon, or connect to the one that the user named."""
    daemon = LibvirtDaemon(places=record.places, lab_id=record.lab_id)
    budget = deadline.at_most(DAEMON_BUDGET_S)
    if record.connect_uri:
        daemon.link_directories()
        return Host(record=record, connection=connect(record.connect_uri, budget))
    device = KvmDevice() if kvm else None
    sandbox = daemon.start(kvm=device, dies_with_us=record.transient)
    record = dataclasses.replace(record, sandbox=sandbox.init)
    record.write()
    return Host(record=record, connection=connect(daemon.uri, budget))
