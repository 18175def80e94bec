"""The lab that `xenlab test --lab` names: one that is up, or one that is to be brought up."""

from __future__ import annotations

import click

from xenlab.errors import InputError
from xenlab.life.order import UpOrder
from xenlab.plan.model import LabPlan
from xenlab.registry.record import LabRecord, LabState, list_living_labs, read_record
from xenlab.topology.wording import did_you_mean, list_names, quote


def find_named_lab(order: UpOrder, *, topology_chosen: bool) -> LabRecord | None:
    """The lab of the order's name if it is up; None where a new one is to be brought up.

    Raises InputError for words that ask for another lab than the one that is up, and for a name
    of none while others are up, unless a topology says that a new one is meant.
    """
    record = read_record(order.lab) if order.lab else None
    if record is not None and record.alive:
        if record.state is not LabState.UP:
            return None  # whoever brings it up holds it, and is named as its owner
        _require_same(record, order, topology_chosen=topology_chosen)
        return record
    if order.lab and not topology_chosen:
        _begin_new(order.lab)
    return None


def _begin_new(name: str) -> None:
    """Say that a new lab is brought up under a name; InputError where another may be meant."""
    up = [
        record.name
        for record in list_living_labs()
        if record.state is LabState.UP and not record.transient
    ]
    if up:
        raise InputError(
            f"there is no lab {quote(name)}{did_you_mean(name, up)} (there are {list_names(up)};"
            " to test in a new one of that name, add --topology T)",
            try_next="xenlab status",
        )
    click.echo(f"no lab {quote(name)} is up: the tests run in a new one", err=True)


def _require_same(standing: LabRecord, order: UpOrder, *, topology_chosen: bool) -> None:
    """Raise InputError for words that ask for another lab than the one that is up."""
    name = quote(standing.name)
    if topology_chosen:
        raise InputError(f"lab {name} is up already: --topology is for a lab that is not")
    if order.netback or order.netfront:
        raise InputError(
            f"lab {name} is up already, with its drivers:"
            " --netback and --netfront are for a lab that is not"
        )
    if order.dom0_kernel or order.domu_kernel:
        raise InputError(
            f"lab {name} is up already, with its kernels:"
            " --dom0-kernel and --domu-kernel are for a lab that is not"
        )
    suite = LabPlan.from_json(standing.plan_json).xen.suite
    if order.xen not in {None, suite}:
        raise InputError(
            f"lab {name} is up already, with Xen of {suite}: --xen is for a lab that is not"
        )
