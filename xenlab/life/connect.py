"""Connecting: drivers loaded, vifs attached, addresses set, and a verified ping both ways."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from xenlab.errors import LabError
from xenlab.lab import Lab
from xenlab.plan.model import DOM0
from xenlab.waiting import Deadline

PING_BYTES = 1400
ENTROPY_BYTES = 64
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


def connect_shells(lab: Lab, deadline: Deadline) -> None:
    """Open the control channels of all nodes, the domUs' at the same time."""
    lab.shell(DOM0, deadline)
    on_all(lambda node: lab.shell(node, deadline), [domu.name for domu in lab.plan.domus])


def awaken_nodes(lab: Lab, deadline: Deadline) -> None:
    """After a restore: set every clock to now and stir fresh randomness into every node."""

    def awaken(node: str) -> None:
        lab.shell(node, deadline).run(
            ["awaken", f"{time.time():.6f}"],
            deadline=deadline,
            stdin=os.urandom(ENTROPY_BYTES),
        ).require_success()

    on_all(awaken, lab.plan.node_names)


def zero_free_memory(lab: Lab, deadline: Deadline) -> None:
    """Before a save: leave free memory as zeros in every node, which take no room in the file."""

    def clear(node: str) -> None:
        lab.shell(node, deadline).run(["zero-free-memory"], deadline=deadline).require_success()

    on_all(clear, lab.plan.node_names)


def connect_vifs(lab: Lab, deadline: Deadline) -> None:
    """Load netback and netfront, attach every vif, set addresses, routes and features."""

    def connect(node: str) -> None:
        lab.shell(node, deadline).run(["connect-vifs"], deadline=deadline).require_success()

    deadline = deadline.at_most(CONNECT_BUDGET_S)
    on_all(connect, lab.plan.node_names)


def ping_all(lab: Lab, deadline: Deadline) -> int:
    """A ping with checked content from every domU over each of its links; how many there were.

    Each ping crosses its vifs both ways. LabError names the one that failed.
    """
    links = [link for link in lab.plan.links() if link.source != DOM0]

    def ping(source: str) -> None:
        for link in links:
            if link.source == source:
                argv = ["ping", "-n", "-q", "-c1", "-W10", f"-s{PING_BYTES}", link.sink_address4]
                lab.shell(source, deadline).run(argv, deadline=deadline).require_success()

    on_all(ping, sorted({link.source for link in links}))
    return len(links)


def on_all(action: Callable[[str], object], nodes: Iterable[str]) -> None:
    """Do something on several nodes at the same time; every failure is raised."""
    names = list(nodes)
    with ThreadPoolExecutor(max_workers=max(1, len(names))) as pool:
        futures = [pool.submit(action, node) for node in names]
        failures = [error for future in futures if (error := future.exception()) is not None]
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise LabError("; ".join(str(failure) for failure in failures)) from failures[0]
