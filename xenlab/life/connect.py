"""Connecting: drivers loaded, vifs attached, addresses set, and a verified ping both ways."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from xenlab.errors import LabError
from xenlab.lab import Lab
from xenlab.plan.model import Link
from xenlab.waiting import Deadline
from xenlab.xen.vif import SERVE_VIFS

PING_BYTES = 1400
CONNECT_BUDGET_S = 60.0


def connect_vifs(lab: Lab, node: str, deadline: Deadline, module: str = "") -> None:
    """Have a node load its driver and connect its vifs: dom0 attaches them, domUs take them up.

    `module` is a file there to load in place of the stock driver.
    """
    budget = deadline.at_most(CONNECT_BUDGET_S * lab.slowness())
    lab.shell(node, budget).run(
        ["connect-vifs", *filter(None, [module])], deadline=budget
    ).require_success()


def serve_vifs(lab: Lab, node: str, deadline: Deadline) -> None:
    """Have a driver domain load netback, make its bridges, and plug what will be attached."""
    budget = deadline.at_most(CONNECT_BUDGET_S * lab.slowness())
    lab.shell(node, budget).run([SERVE_VIFS], deadline=budget).require_success()


def render_ping_argv(link: Link) -> list[str]:
    """One ping over a link; ping(8) compares what comes back with what it sent."""
    return ["ping", "-n", "-q", "-c1", "-W10", f"-s{PING_BYTES}", link.sink_address4]


def on_all(action: Callable[[str], object], nodes: Iterable[str]) -> None:
    """Do something on several nodes at the same time; every failure is raised."""
    names = list(nodes)
    pool = ThreadPoolExecutor(max_workers=max(1, len(names)))
    try:
        futures = [pool.submit(action, node) for node in names]
        failures = [error for future in futures if (error := future.exception()) is not None]
    finally:
        # Who interrupts us must not wait for the nodes: those end when the lab does.
        pool.shutdown(wait=False, cancel_futures=True)
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise LabError("; ".join(str(failure) for failure in failures)) from failures[0]
