"""Connecting: drivers loaded, vifs attached, addresses set, and a verified ping both ways."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from xenlab.errors import LabError
from xenlab.lab import Lab
from xenlab.plan.model import DOM0, Link
from xenlab.waiting import Deadline

PING_BYTES = 1400
CONNECT_BUDGET_S = 60.0


def read_domids(lab: Lab, deadline: Deadline) -> tuple[tuple[str, int], ...]:
    """Name and number of every running domU, from `xl list`."""
    answer = lab.shell(DOM0, deadline).run(["xl", "list"], deadline=deadline).require_success()
    rows = [line.split() for line in answer.text.splitlines()[1:]]
    found = {row[0]: int(row[1]) for row in rows if len(row) > 1}
    missing = [domu.name for domu in lab.plan.domus if domu.name not in found]
    if missing:
        raise LabError(f"Xen has no domain {', '.join(missing)}:\n{answer.text}")
    return tuple((domu.name, found[domu.name]) for domu in lab.plan.domus)


def zero_free_memory(lab: Lab, deadline: Deadline) -> None:
    """Before a save: leave free memory as zeros in every node, which take no room in the file."""

    def clear(node: str) -> None:
        lab.shell(node, deadline).run(["zero-free-memory"], deadline=deadline).require_success()

    on_all(clear, lab.plan.node_names)


def connect_vifs(lab: Lab, node: str, deadline: Deadline, module: str = "") -> None:
    """Have a node load its driver and connect its vifs: dom0 attaches them, domUs take them up.

    `module` is a file there to load in place of the stock driver.
    """
    budget = deadline.at_most(CONNECT_BUDGET_S)
    lab.shell(node, budget).run(
        ["connect-vifs", *filter(None, [module])], deadline=budget
    ).require_success()


def render_ping_argv(link: Link) -> list[str]:
    """One ping over a link; ping(8) compares what comes back with what it sent."""
    return ["ping", "-n", "-q", "-c1", "-W10", f"-s{PING_BYTES}", link.sink_address4]


def ping_peers(lab: Lab, node: str, deadline: Deadline) -> None:
    """Ping, with checked content, over each link of a domU; both ways of its vifs are crossed.

    Raises CommandFailed for the first that does not answer. dom0 is pinged and does not ping.
    """
    for link in lab.plan.links():
        if link.source == node != DOM0:
            argv = render_ping_argv(link)
            lab.shell(node, deadline).run(argv, deadline=deadline).require_success()


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
