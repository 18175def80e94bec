"""Two labs of one plan in one libvirtd, as with `--connect`: neither takes the other's machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from xenlab.errors import LabError
from xenlab.hypervisor.acceleration import Acceleration
from xenlab.hypervisor.connection import Connection
from xenlab.hypervisor.machine import Machine
from xenlab.images.lab_images import LabImages
from xenlab.kernel.files import KernelFiles
from xenlab.life.phases import Phases
from xenlab.life.request import UpRequest
from xenlab.life.up import BringUp
from xenlab.plan.model import Accel
from xenlab.plan.planner import plan_lab
from xenlab.topology.loading import load_topology

NOWHERE = Path("/nowhere")
KERNEL = KernelFiles(
    release="6.1.0", vmlinux=NOWHERE, bzimage=None, config=NOWHERE, modules_dom0=NOWHERE,
    modules_domu=NOWHERE, build_id="",
)  # fmt: skip
IMAGES = LabImages(
    xen=NOWHERE, root_dom0=NOWHERE, root_domu=NOWHERE, dom0_kernel=KERNEL, domu_kernels={},
    digest="of no image",
)  # fmt: skip


class Silence:
    """A watcher that shows nothing."""

    def begin(self, phase: str) -> None: ...

    def detail(self, text: str) -> None: ...

    def warn(self, text: str) -> None: ...

    def end(self, phase: str, elapsed_s: float) -> None: ...


def define_lab(name: str, connection: Connection, connect_uri: str) -> Machine:
    """The machine of a new lab of `single`, defined as `up` defines it."""
    request = UpRequest(
        name=name, plan=plan_lab(load_topology("single")), images=IMAGES, connect_uri=connect_uri,
        acceleration=Acceleration(accel=Accel.TCG, reason="a test"),
    )  # fmt: skip
    bringing_up = BringUp(request=request, phases=Phases(watcher=Silence()))
    record = bringing_up._new_record(request.ingredients)
    (xml,) = bringing_up._machines(record, f"xenlab-{name}")._render(restored=False)
    return Machine.define(connection, xml)


def test_two_labs_of_one_plan_have_machines_of_their_own(connection: Connection) -> None:
    first = define_lab("first", connection, connection.uri)
    second = define_lab("second", connection, connection.uri)

    assert first.uuid != second.uuid
    assert (first.name, second.name) == ("xenlab-first", "xenlab-second")
    for machine in (first, second):
        machine.undefine()


def test_labs_with_a_daemon_each_share_the_uuid_that_their_checkpoint_has(
    connection: Connection,
) -> None:
    machine = define_lab("third", connection, "")
    try:
        with pytest.raises(LabError, match=machine.uuid):
            define_lab("fourth", connection, "")
    finally:
        machine.undefine()
