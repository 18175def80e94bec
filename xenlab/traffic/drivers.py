"""Drivers changed inside a run: the same test on the stock and on a patched netfront."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from xenlab.guest.driver import (
    NodeDriver,
    push_driver,
    read_loaded,
    read_stock,
    reload_netback,
    reload_netfront,
    take_up_vifs,
    write_parameter,
)
from xenlab.kernel.driver import DriverChoice, DriverKind
from xenlab.kernel.workshop import open_workshop
from xenlab.plan.model import DOM0
from xenlab.registry.places import cache_dir
from xenlab.traffic.handle import LabHandle
from xenlab.waiting import Deadline
from xenlab.xen.vif import await_vifs

BUILD_BUDGET_S = 600.0  # the first one fetches the kernel's source over whatever line there is
RELOAD_BUDGET_S = 60.0


@contextmanager
def netfront_replaced(
    lab: LabHandle, domu: str, driver: str, parameters: Mapping[str, str] | None = None
) -> Iterator[NodeDriver]:
    """Have a domU run another netfront, proved and connected; afterwards what it ran before.

    `driver` is what --netfront takes: `stock`, a series by name, a patch, a folder, a `.ko`;
    `parameters` are given to the module as it is loaded. The lab is silent when this returns.
    """
    before = read_loaded(lab.shell(domu), DriverKind.NETFRONT, lab.budget(RELOAD_BUDGET_S))
    chosen = _provide(lab, domu, driver)
    try:
        _reload(lab, domu, chosen, parameters or {})
        yield chosen
    finally:
        _reload(lab, domu, before, {})


@contextmanager
def netback_reloaded(lab: LabHandle, parameters: Mapping[str, str]) -> Iterator[None]:
    """Have dom0 run the netback that it runs with these parameters; afterwards without them.

    Every vif is attached anew, both times: what was set on one is gone. The lab is silent when
    this returns.
    """
    shell = lab.shell(DOM0)
    driver = read_loaded(shell, DriverKind.NETBACK, lab.budget(RELOAD_BUDGET_S))
    try:
        _reload_netback(lab, driver, parameters)
        yield
    finally:
        _reload_netback(lab, driver, {})


def swap_drivers(lab: LabHandle, drivers: Mapping[str, NodeDriver]) -> None:
    """Have nodes run other drivers, which lie there already; every vif is connected anew.

    The lab is silent when this returns.
    """
    if DOM0 in drivers:
        _reload_netback(lab, drivers[DOM0], {})
    for domu, driver in drivers.items():
        if domu != DOM0:
            _reload(lab, domu, driver, {})


@contextmanager
def parameter_set(
    lab: LabHandle, domu: str, driver: NodeDriver, name: str, value: str
) -> Iterator[None]:
    """Set a parameter of the loaded netfront through sysfs; afterwards it is what it was."""
    shell = lab.shell(domu)
    path = f"/sys/module/{driver.kind.module}/parameters/{name}"
    before = shell.read_file(path, deadline=lab.budget(RELOAD_BUDGET_S)).decode().strip()
    write_parameter(shell, driver, name, value, lab.budget(RELOAD_BUDGET_S))
    try:
        yield
    finally:
        write_parameter(shell, driver, name, before, lab.budget(RELOAD_BUDGET_S))


def _provide(lab: LabHandle, domu: str, word: str) -> NodeDriver:
    """A driver in a domU, built if need be for the kernel that it runs."""
    choice = DriverChoice.parse(DriverKind.NETFRONT, word)
    shell = lab.shell(domu)
    if choice.is_stock:
        return read_stock(shell, choice.kind, lab.budget(RELOAD_BUDGET_S))
    deadline = Deadline.after(BUILD_BUDGET_S)
    kernel = lab.plan.kernel(lab.plan.domu(domu).kernel)
    with open_workshop(
        cache_dir(), report=lambda _line: None, offline=False, deadline=deadline
    ) as workshop:
        built = workshop.provide_driver(choice, kernel)
    return push_driver(shell, built, lab.budget(RELOAD_BUDGET_S))


def _reload(lab: LabHandle, domu: str, driver: NodeDriver, parameters: Mapping[str, str]) -> None:
    reload_netfront(lab.shell(domu), driver, parameters, lab.budget(RELOAD_BUDGET_S))
    vifs = [lab.vif(domu, vif.index) for vif in lab.plan.domu(domu).vifs]
    await_vifs(lab.shell(DOM0), vifs, lab.budget(RELOAD_BUDGET_S))
    lab.restore_silence()


def _reload_netback(lab: LabHandle, driver: NodeDriver, parameters: Mapping[str, str]) -> None:
    deadline = lab.budget(RELOAD_BUDGET_S)
    bridges = [network.bridge for network in lab.plan.networks]
    reload_netback(lab.shell(DOM0), bridges, driver, parameters, deadline)
    for domu in lab.plan.domus:
        take_up_vifs(lab.shell(domu.name), deadline)
    lab.restore_silence()
