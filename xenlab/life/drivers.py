"""Drivers under test: who of a lab's nodes is to run which, built, brought there and proved."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from types import MappingProxyType

from xenlab.errors import InputError
from xenlab.guest.driver import prove_driver, push_driver
from xenlab.images.lab_images import LabImages
from xenlab.kernel.driver import STOCK, Driver, DriverChoice, DriverKind, Reach
from xenlab.kernel.patch_series import PatchSeries
from xenlab.kernel.stock import read_stock_driver
from xenlab.kernel.workshop import Workshop
from xenlab.lab import Lab
from xenlab.life import standby
from xenlab.life.blame import blaming_drivers
from xenlab.life.connect import await_vifs_of, connect_vifs, serve_vifs
from xenlab.life.phases import Phases
from xenlab.life.words_for_nodes import spread_words
from xenlab.plan.kernels import kernel_of
from xenlab.plan.model import DOM0, LabPlan
from xenlab.together import on_all
from xenlab.topology.kernel_origin import KernelKind
from xenlab.topology.wording import list_names, quote
from xenlab.waiting import Deadline

Choices = Mapping[str, DriverChoice]
Drivers = Mapping[str, Driver]
NO_DRIVERS: Drivers = MappingProxyType({})  # all are stock, and nobody asked for a proof
CONNECT = "load the drivers and connect the vifs"
# The same in three steps, where drivers are brought; each kind is loaded as its own step begins.
BRING = "bring the drivers"
LOAD = {
    DriverKind.NETBACK: "load netback and attach the vifs",
    DriverKind.NETFRONT: "load netfront and connect the vifs",
}


def choose_drivers(plan: LabPlan, netback: str | None, netfront: Sequence[str]) -> Choices:
    """The driver of each node, from the words of --netback and --netfront; none where all is stock.

    A later word stands over an earlier one. Raises InputError for what cannot be.
    """
    if netback or netfront:
        _require_xen(plan)
    names = [domu.name for domu in plan.domus]
    words = {DOM0: netback} if netback else {}
    words |= spread_words("--netfront", netfront, names)
    choices = {node: DriverChoice.parse(_kind(node), word) for node, word in words.items()}
    _require_dom0_as_backend(plan, choices)
    return choices if any(not choice.is_stock for choice in choices.values()) else {}


def patch_drivers(plan: LabPlan, choices: Choices, series: PatchSeries) -> Choices:
    """The same choices with a series on top, in every node whose driver it changes.

    Raises InputError for a series that is not one of drivers alone, and for a driver that cannot be
    patched.
    """
    _require_xen(plan)
    reach = Reach.of(series.files)
    if not reach.is_drivers_only:
        raise InputError(f"{series.name}: {reach.why}")
    stock = {node: DriverChoice(kind=_kind(node), name=STOCK) for node in plan.domain_names}
    patched = {
        node: choice.patched(series) if choice.kind in reach.drivers else choice
        for node, choice in {**stock, **choices}.items()
    }
    _require_dom0_as_backend(plan, patched)
    return patched


def rebuild_drivers(plan: LabPlan, choices: Choices, kinds: Collection[DriverKind]) -> Choices:
    """The same choices with stock drivers of these kinds built anew, where a tree may be edited.

    The module of a kernel that was built elsewhere is of its tree as it was then, and drivers with
    a series on them are of that tree as it is now.
    """
    return {**choices} | {
        node: DriverChoice.rebuilt(_kind(node))
        for node in plan.domain_names
        if _kind(node) in kinds
        and kernel_of(plan, node).origin.kind is KernelKind.IMAGE
        and (node not in choices or choices[node].is_stock)
    }


def _require_xen(plan: LabPlan) -> None:
    """Both drivers speak over Xen alone: without it none could be loaded, and none be tested."""
    if not plan.xen.boot:
        raise InputError(
            f"no driver under test is loaded on {quote(plan.topology_name)}, which boots no Xen"
        )


def _require_dom0_as_backend(plan: LabPlan, choices: Choices) -> None:
    """A netback under test is loaded in dom0 alone: elsewhere the stock one would be tested."""
    chosen = choices.get(DOM0)
    if plan.backends and chosen is not None and not chosen.is_stock:
        raise InputError(
            f"netback under test is dom0's, and the backend here is {list_names(plan.backends)}"
        )


def digest_choices(choices: Choices) -> str:
    """One digest over all that was chosen, or nothing where all is stock."""
    chosen = {node: choice.digest for node, choice in choices.items() if not choice.is_stock}
    text = json.dumps(chosen, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest() if chosen else ""


def provide_driver(
    plan: LabPlan, images: LabImages, choices: Choices, node: str, workshop: Workshop
) -> Driver:
    """A node's driver, built where it has to be, to be loaded and proved."""
    choice = choices.get(node)
    if choice is not None and not choice.is_stock:
        return workshop.provide_driver(choice, kernel_of(plan, node))
    return read_stock_driver(images.kernel_of(plan, node), _kind(node), workshop.deadline)


def load_drivers(
    lab: Lab, drivers: Drivers, phases: Phases, deadline: Deadline, *, connected: bool
) -> None:
    """Connect every vif, unless that is done, and prove the drivers where any is under test."""

    def prove(node: str) -> None:
        prove_driver(lab.shell(node, deadline), drivers[node], deadline)

    if not connected and lab.plan.xen.boot:
        if drivers or lab.plan.host is not None:
            _connect(lab, drivers, phases, deadline)
        else:
            with phases.run(CONNECT):
                standby.connect_vifs(lab, deadline)
    if not connected and lab.plan.uplink is not None:
        with phases.run("connect the uplink"):
            standby.connect_uplink(lab, deadline)
    if drivers:
        with phases.run("prove the drivers"):
            on_all(prove, lab.plan.domain_names)


def _connect(lab: Lab, drivers: Drivers, phases: Phases, deadline: Deadline) -> None:
    """Load the drivers; one that is not loaded yet is not to blame for what fails."""
    built: dict[str, Driver] = {}
    paths: dict[str, str] = {}

    def push(node: str) -> None:
        shell, driver = lab.shell(node, deadline), built.get(node)
        if driver is not None and driver.file is not None:
            paths[node] = push_driver(shell, driver, deadline).path

    def connect(node: str) -> None:
        connect_vifs(lab, node, deadline, paths.get(node, ""))

    with phases.run(BRING):
        built = dict(drivers)  # waits for all, so that an error of the compiler stays one
        on_all(push, lab.plan.domain_names)
        on_all(partial(serve_vifs, lab, deadline=deadline), lab.plan.backends)
    loaded = {node: each for node, each in built.items() if node == DOM0}
    with phases.run(LOAD[DriverKind.NETBACK]), blaming_drivers(lab, loaded, phases.current):
        connect(DOM0)
    with phases.run(LOAD[DriverKind.NETFRONT]), blaming_drivers(lab, built, phases.current):
        on_all(connect, [domu.name for domu in lab.plan.domus])
        for backend in (DOM0, *lab.plan.backends):
            await_vifs_of(lab, backend, deadline)


def label_drivers(drivers: Drivers) -> tuple[tuple[str, str], ...]:
    """What a table shows of each node's driver."""
    return tuple((node, driver.label) for node, driver in drivers.items())


def list_debug_files(
    plan: LabPlan, images: LabImages, drivers: Drivers = NO_DRIVERS
) -> tuple[tuple[str, str, str], ...]:
    """Node, module and file for all whose debug info is there: kernels, what came with them.

    And drivers under test, in the place of those that came with the kernel.
    """
    own = (
        (node, module, str(path))
        for node in plan.node_names
        for module, path in images.kernel_of(plan, node).debug_files
        if module not in _replaced(drivers, node)
    )
    tested = (
        (node, driver.file.name, str(driver.file.debug_path))
        for node, driver in drivers.items()
        if driver.file is not None and driver.file.debug_path.is_file()
    )
    return (*own, *tested)


def _replaced(drivers: Drivers, node: str) -> tuple[str, ...]:
    """The module that a node loads in place of its kernel's own."""
    driver = drivers.get(node)
    return (driver.kind.module,) if driver is not None and driver.file is not None else ()


def _kind(node: str) -> DriverKind:
    return DriverKind.NETBACK if node == DOM0 else DriverKind.NETFRONT
