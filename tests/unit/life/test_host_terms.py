"""What cannot be asked of a lab on a host that is there already."""

from __future__ import annotations

from pathlib import Path

import pytest

from xenlab.errors import InputError
from xenlab.life.host_terms import choose_accelerator, require_terms
from xenlab.plan.model import Accel, LabPlan
from xenlab.plan.planner import plan_lab
from xenlab.topology.loading import parse_topology


def plan(text: str) -> LabPlan:
    return plan_lab(parse_topology(text.encode(), file="lab.yaml", name="lab"))


CLOSED = plan("{machine: {ssh: root@rack}, domus: {a: }}")
OPEN = plan("{machine: {ssh: root@rack, drivers: on}, domus: {a: }}")
MACHINE = plan("domus: {a: }")


def test_everything_that_cannot_be_is_told_at_once() -> None:
    with pytest.raises(InputError) as refused:
        require_terms(CLOSED, has_netback=True, accel=Accel.KVM, connect_uri="qemu:///system")
    drivers, accel, connect = refused.value.problems
    assert "`machine: {drivers: on}`" in drivers
    assert accel.startswith("--accel is for a machine")
    assert connect.startswith("--connect is for a machine")


def test_drivers_are_loaded_where_the_topology_allows_it_and_on_machines() -> None:
    require_terms(OPEN, has_netback=True, accel=None, connect_uri="")
    require_terms(CLOSED, has_netback=False, accel=None, connect_uri="")
    require_terms(MACHINE, has_netback=True, accel=Accel.TCG, connect_uri="qemu:///system")


def test_host_is_not_tried_for_kvm() -> None:
    chosen = choose_accelerator(CLOSED, Path("/nowhere"))
    assert chosen.reason == "Xen runs on root@rack"
