"""Connecting: drivers loaded, vifs attached, addresses set, and a verified ping both ways."""

from __future__ import annotations

from xenlab.lab import Lab
from xenlab.plan.model import DOM0, Link
from xenlab.waiting import Deadline
from xenlab.xen.vif import CONNECT_VIFS, SERVE_VIFS, await_vifs, render_take_up

PING_BYTES = 1400
CONNECT_BUDGET_S = 60.0


def connect_vifs(lab: Lab, node: str, deadline: Deadline, module: str = "") -> None:
    """Have a node load its driver and connect its vifs: dom0 attaches them, domUs take them up.

    `module` is a file there to load in place of the stock driver.
    """
    budget = deadline.at_most(CONNECT_BUDGET_S * lab.slowness())
    words = [module] if module else []
    shell = lab.shell(node, budget)
    argv = [CONNECT_VIFS, *words] if node == DOM0 else render_take_up(budget, *words)
    shell.run(argv, deadline=budget).require_success()


def await_vifs_of(lab: Lab, backend: str, deadline: Deadline) -> None:
    """Return once all vifs of a backend carry packets; else CommandFailed."""
    budget = deadline.at_most(CONNECT_BUDGET_S * lab.slowness())
    await_vifs(lab.shell(backend, budget), vifs_of(lab, backend), budget)


def vifs_of(lab: Lab, backend: str) -> tuple[str, ...]:
    """The backend's ends of all vifs of its networks."""
    networks = [each.name for each in lab.plan.networks if each.backend == backend]
    ends = [end for network in networks for end in lab.plan.vifs_on(network)]
    return tuple(lab.vif(domu.name, vif.index) for domu, vif in ends)


def serve_vifs(lab: Lab, node: str, deadline: Deadline) -> None:
    """Have a driver domain load netback, make its bridges, and plug what will be attached."""
    budget = deadline.at_most(CONNECT_BUDGET_S * lab.slowness())
    lab.shell(node, budget).run([SERVE_VIFS], deadline=budget).require_success()


def render_ping_argv(link: Link) -> list[str]:
    """One ping over a link; ping(8) compares what comes back with what it sent."""
    return ["ping", "-n", "-q", "-c1", "-W10", f"-s{PING_BYTES}", link.sink_address4]
