"""Drivers changed inside a run: the same test on the stock and on a patched netfront."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from xenlab.errors import InputError, MeasurementError, Unavailable
from xenlab.guest.driver import (
    NodeDriver,
    load_driver,
    push_driver,
    read_loaded,
    read_stock,
    take_up_vifs,
    unload_netback,
    unload_netfront,
    write_parameter,
)
from xenlab.kernel.driver import DriverChoice, DriverKind
from xenlab.kernel.workshop import open_workshop
from xenlab.plan.kernels import kernel_of
from xenlab.plan.model import DOM0, DomUPlan, KernelPlan
from xenlab.registry.places import cache_dir
from xenlab.traffic.handle import LabHandle
from xenlab.waiting import Deadline
from xenlab.xen.vif import await_vifs

BUILD_BUDGET_S = 600.0  # the first one fetches the kernel's source over whatever line there is
RELOAD_BUDGET_S = 60.0
# In place of a driver's name: what the end has loaded as the exchange begins.
LOADED = ""


@contextmanager
def netfront_replaced(
    lab: LabHandle, domu: str, driver: str, parameters: Mapping[str, str] | None = None
) -> Iterator[NodeDriver]:
    """Have a domU run another netfront, proved and connected; afterwards what it ran before.

    `driver` is what --netfront takes: `stock`, a series by name, a patch, a folder, a `.ko`;
    `parameters` are given to the module as it is loaded. The lab is silent when this returns.
    Raises MeasurementError where that driver cannot be built for the domU's kernel.
    """
    before = read_loaded(lab.shell(domu), DriverKind.NETFRONT, lab.budget(RELOAD_BUDGET_S))
    chosen = _provide(lab, domu, driver)
    try:
        _reload(lab, domu, chosen, parameters or {})
        yield chosen
    finally:
        _reload(lab, domu, before, {})


@dataclass(slots=True, kw_only=True)
class DriverExchange:
    """What dom0 and one domU run, changed as often as a test wants; see `drivers_exchanged`."""

    lab: LabHandle
    domu: str
    _runs: dict[str, str]
    _known: dict[tuple[str, str], NodeDriver] = field(default_factory=dict)

    def run(self, netfront: str, netback: str) -> NodeDriver:
        """Have both ends run these drivers, each named as for --netfront; the netfront there is.

        LOADED is the one that an end ran at first. What is loaded already stays. The lab is silent
        when this returns. Raises MeasurementError where one of them cannot be built for its node's
        kernel.
        """
        self._take(self._provide(DOM0, netback))
        front = self._provide(self.domu, netfront)
        self._take(front)
        return front

    def put_back(self, front: NodeDriver, back: NodeDriver) -> None:
        """Have both ends run what they ran at first."""
        self._take(back)
        self._take(front)

    def _provide(self, node: str, word: str) -> NodeDriver:
        if (node, word) not in self._known:
            self._known[node, word] = _provide(self.lab, node, word)
        return self._known[node, word]

    def _take(self, driver: NodeDriver) -> None:
        if self._runs.get(driver.kind) == driver.build_id:
            return
        # Whatever fails on the way, what runs then is not known any more.
        self._runs.pop(driver.kind, None)
        node = DOM0 if driver.kind is DriverKind.NETBACK else self.domu
        _reload(self.lab, node, driver, {})
        self._runs[driver.kind] = driver.build_id


@contextmanager
def drivers_exchanged(lab: LabHandle, domu: str) -> Iterator[DriverExchange]:
    """Have the drivers of a domU and of dom0 changed; afterwards they run what they ran before.

    Every vif is attached anew where netback changes: what was set on one is gone.
    """
    front = read_loaded(lab.shell(domu), DriverKind.NETFRONT, lab.budget(RELOAD_BUDGET_S))
    back = read_loaded(lab.shell(DOM0), DriverKind.NETBACK, lab.budget(RELOAD_BUDGET_S))
    runs = {each.kind.value: each.build_id for each in (front, back)}
    known = {(domu, LOADED): front, (DOM0, LOADED): back}
    exchange = DriverExchange(lab=lab, domu=domu, _runs=runs, _known=known)
    try:
        yield exchange
    finally:
        exchange.put_back(front, back)


@contextmanager
def netback_reloaded(lab: LabHandle, parameters: Mapping[str, str]) -> Iterator[None]:
    """Have dom0 run the netback that it runs with these parameters; afterwards without them.

    Every vif is attached anew, both times: what was set on one is gone. The lab is silent when
    this returns.
    """
    shell = lab.shell(DOM0)
    driver = read_loaded(shell, DriverKind.NETBACK, lab.budget(RELOAD_BUDGET_S))
    try:
        _reload(lab, DOM0, driver, parameters)
        yield
    finally:
        _reload(lab, DOM0, driver, {})


def take_out_drivers(lab: LabHandle, nodes: Collection[str]) -> None:
    """Unload what these nodes run. Raises DriverFailed where a driver is not let go.

    Not one of them is loaded when this returns: so it is known whose fault is what follows.
    """
    if DOM0 in nodes:
        bridges = [network.bridge for network in lab.plan.networks]
        unload_netback(lab.shell(DOM0), bridges, lab.budget(RELOAD_BUDGET_S))
    for domu in lab.plan.domus:
        if domu.name in nodes:
            unload_netfront(lab.shell(domu.name), lab.budget(RELOAD_BUDGET_S))


def put_in_drivers(
    lab: LabHandle, drivers: Mapping[str, NodeDriver], parameters: Mapping[str, str]
) -> None:
    """Load drivers, which lie in nodes that have none loaded; each is given the parameters.

    Every vif is connected anew, and the lab is silent when this returns.
    """
    if DOM0 in drivers:
        load_driver(lab.shell(DOM0), drivers[DOM0], parameters, lab.budget(RELOAD_BUDGET_S))
    for domu in lab.plan.domus:
        if domu.name in drivers:
            shell, deadline = lab.shell(domu.name), lab.budget(RELOAD_BUDGET_S)
            load_driver(shell, drivers[domu.name], parameters, deadline)
        elif DOM0 in drivers:
            take_up_vifs(lab.shell(domu.name), lab.budget(RELOAD_BUDGET_S))
    for domu in lab.plan.domus:
        if domu.name in drivers:
            _await_vifs(lab, domu)
    lab.restore_silence()


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


def _provide(lab: LabHandle, node: str, word: str) -> NodeDriver:
    """A driver in a node, built if need be for the kernel that it runs.

    Raises InputError for a word that names none, MeasurementError for one that cannot be built.
    """
    kind = DriverKind.NETBACK if node == DOM0 else DriverKind.NETFRONT
    choice = DriverChoice.parse(kind, word)
    shell = lab.shell(node)
    if choice.is_stock:
        return read_stock(shell, choice.kind, lab.budget(RELOAD_BUDGET_S))
    deadline = Deadline.after(BUILD_BUDGET_S)
    kernel = kernel_of(lab.plan, node)
    with (
        _built_for(kernel, choice),
        open_workshop(
            cache_dir(), report=lambda _line: None, offline=False, deadline=deadline
        ) as workshop,
    ):
        built = workshop.provide_driver(choice, kernel)
    return push_driver(shell, built, lab.budget(RELOAD_BUDGET_S))


@contextmanager
def _built_for(kernel: KernelPlan, choice: DriverChoice) -> Iterator[None]:
    """What a driver is the control of is not known where a kernel's source does not take it."""
    try:
        yield
    except (InputError, Unavailable) as error:
        why = error.problems[0] if isinstance(error, InputError) else error.what
        told = f"the control {choice.name} cannot be built for {kernel.origin.label}: {why}"
        raise MeasurementError(told, try_next=error.try_next) from error


def _reload(lab: LabHandle, node: str, driver: NodeDriver, parameters: Mapping[str, str]) -> None:
    take_out_drivers(lab, [node])
    put_in_drivers(lab, {node: driver}, parameters)


def _await_vifs(lab: LabHandle, domu: DomUPlan) -> None:
    """Wait until the backends of a domU's vifs are as far as its netfront."""
    for vif in domu.vifs:
        backend = lab.shell(lab.plan.network(vif.network).backend)
        await_vifs(backend, [lab.vif(domu.name, vif.index)], lab.budget(RELOAD_BUDGET_S))
