"""What `up` asks of the nodes, through the `standby` program that waits in each of them.

An SSH handshake costs an emulated CPU that has not translated its code yet about a second for each
node; these wait in memory, so that the first thing a node does is what was asked.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable

from xenlab.errors import LabError
from xenlab.lab import Lab
from xenlab.life.connect import CONNECT_BUDGET_S, vifs_of
from xenlab.life.evidence import NOTES_FILE, NodeEvidence, believe_node, evidence_files
from xenlab.plan.model import DOM0
from xenlab.together import on_all
from xenlab.transport.standby import StandbyLine, open_standby
from xenlab.waiting import Deadline
from xenlab.xen.vif import AWAIT_VIFS, CONNECT_VIFS, SERVE_VIFS, render_take_up

ENTROPY_BYTES = 64
MISSING = "-"  # of a file that may be (tools/standby/duties.c)


def read_domids(lab: Lab, deadline: Deadline) -> tuple[tuple[str, int], ...]:
    """Name and number of every domU, from xenstore; nobody is asked where there are none."""
    if not lab.plan.domus:
        return ()
    names = [domu.name for domu in lab.plan.domus]
    found: list[str] = []
    _ask_all(lab, [DOM0], lambda line: found.extend(_ask_domids(line, names, deadline)), deadline)
    return tuple(zip(names, map(int, found), strict=True))


def read_evidence(lab: Lab, deadline: Deadline) -> dict[str, NodeEvidence]:
    """What each node says that it runs, proved: an answer is the proof that it is up."""
    told: dict[str, NodeEvidence] = {}

    def ask(line: StandbyLine) -> None:
        files = (*evidence_files(lab.plan, line.node), f"-{NOTES_FILE}")
        text, _, digits = line.ask("read", *files, deadline=deadline).rpartition(" ")
        notes = b"" if digits == MISSING else _read_digits(line.node, digits)
        told[line.node] = believe_node(lab, line.node, text, notes)

    _ask_all(lab, lab.plan.node_names, ask, deadline)
    return told


def awaken_nodes(lab: Lab, deadline: Deadline) -> None:
    """Set the clock of every restored node, and stir in fresh randomness."""

    def awaken(line: StandbyLine) -> None:
        now, seed = f"{time.time():.6f}", os.urandom(ENTROPY_BYTES).hex()
        line.ask("awaken", now, seed, deadline=deadline)

    _ask_all(lab, lab.plan.node_names, awaken, deadline)


def connect_vifs(lab: Lab, deadline: Deadline) -> None:
    """Load the drivers and connect the vifs: dom0 attaches them, then the domUs take them up.

    One after the other: domUs that wait for their vifs would only be in dom0's way. A domU is done
    as soon as it asked for the connection: the backend tells when it stands. Driver domains come
    before all, since nobody else plugs the vifs of their networks.
    """

    def run(*words: str) -> Callable[[StandbyLine], object]:
        return lambda line: line.ask("run", *words, deadline=deadline)

    def wait(line: StandbyLine) -> None:
        line.ask("run", AWAIT_VIFS, *vifs_of(lab, line.node), deadline=deadline)

    _ask_all(lab, lab.plan.backends, run(SERVE_VIFS), deadline)
    _ask_all(lab, [DOM0], run(CONNECT_VIFS), deadline)
    take_up = render_take_up(deadline.at_most(CONNECT_BUDGET_S))
    _ask_all(lab, [domu.name for domu in lab.plan.domus], run(*take_up), deadline)
    _ask_all(lab, [DOM0, *lab.plan.backends], wait, deadline)


def connect_uplink(lab: Lab, deadline: Deadline) -> None:
    """Bring up both ends of the wire to the outside, if there is one; the bridge is there by then.

    The NIC's end and the peer's come up side by side: each waits for the carrier.
    """
    if lab.plan.uplink is not None:
        ends = [lab.plan.nic_owner, lab.plan.uplink.peer.name]
        _ask_all(
            lab, ends, lambda line: line.ask("run", "connect-uplink", deadline=deadline), deadline
        )


def ping_peers(lab: Lab, deadline: Deadline) -> None:
    """Ping, with checked content, over each link of the domUs; dom0 is pinged and does not ping.

    The outside peer pings as well.
    """
    links = (*lab.plan.links(), *lab.plan.uplink_links())

    def ping(line: StandbyLine) -> None:
        peers = [link.sink_address4 for link in links if link.source == line.node]
        line.ask("ping", *peers, deadline=deadline)

    _ask_all(lab, {link.source for link in links} - {DOM0}, ping, deadline)


def zero_free_memory(lab: Lab, deadline: Deadline) -> None:
    """Before a save: leave free memory as zeros in every node, which take no room in the file."""

    def clear(line: StandbyLine) -> None:
        line.ask("run", "zero-free-memory", deadline=deadline)

    _ask_all(lab, lab.plan.node_names, clear, deadline)


def _read_digits(node: str, digits: str) -> bytes:
    try:
        return bytes.fromhex(digits)
    except ValueError as error:
        raise LabError(f"{node} does not say what it runs, but {digits[:200]!r}") from error


def _ask_domids(line: StandbyLine, names: list[str], deadline: Deadline) -> list[str]:
    numbers = line.ask("domids", *names, deadline=deadline).split()
    if len(numbers) != len(names) or not all(number.isdecimal() for number in numbers):
        raise LabError(f"the numbers of {', '.join(names)} are not {numbers}")
    return numbers


def _ask_all(
    lab: Lab, nodes: Iterable[str], ask: Callable[[StandbyLine], object], deadline: Deadline
) -> None:
    """Ask several nodes at the same time; none waits for another."""

    def ask_one(node: str) -> None:
        path = lab.places.standby_socket(lab.plan.node_names.index(node))
        with open_standby(node, path, deadline) as line:
            ask(line)

    on_all(ask_one, nodes)
