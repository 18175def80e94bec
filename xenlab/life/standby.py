"""Waking a restored lab through the `standby` programs that were saved with it.

An SSH handshake costs an emulated CPU, which has forgotten its translated code, about a second a
node; these wait in memory, so that the first thing a restored node does is what was asked.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from xenlab.lab import Lab
from xenlab.life.connect import on_all
from xenlab.life.evidence import EVIDENCE_FILES, NodeEvidence
from xenlab.plan.model import DOM0
from xenlab.transport.standby import StandbyLine, open_standby
from xenlab.waiting import Deadline

ENTROPY_BYTES = 64


def leave_standby(lab: Lab, deadline: Deadline) -> None:
    """Before a save: have `standby` wait in every node, unless it does since an earlier save."""

    def serve(node: str) -> None:
        lab.shell(node, deadline).run(["standby", "serve"], deadline=deadline).require_success()

    on_all(serve, [domu.name for domu in lab.plan.domus])
    domids = {DOM0: 0, **dict(lab.record.domids)}
    argv = ["standby", "attend", *(f"{node}={domid}" for node, domid in domids.items())]
    lab.shell(DOM0, deadline).run(argv, deadline=deadline).require_success()


def wake_nodes(
    lab: Lab, then: Callable[[StandbyLine], object], deadline: Deadline
) -> dict[str, NodeEvidence]:
    """On each node of a restored lab: set the clock, stir in fresh randomness, and do `then`.

    Returns what each node says that it runs. No node waits for another.
    """
    told: dict[str, NodeEvidence] = {}

    def wake(node: str) -> None:
        path = lab.places.standby_socket(lab.plan.node_names.index(node))
        with open_standby(node, path, deadline) as line:
            now, seed = f"{time.time():.6f}", os.urandom(ENTROPY_BYTES).hex()
            line.ask("awaken", now, seed, deadline=deadline)
            then(line)
            files = EVIDENCE_FILES[node == DOM0]
            told[node] = NodeEvidence.parse(line.ask("read", *files, deadline=deadline))

    on_all(wake, lab.plan.node_names)
    return told


def ping_peers(lab: Lab, line: StandbyLine, deadline: Deadline) -> None:
    """Ping, with checked content, over each link of a domU; dom0 is pinged and does not ping."""
    peers = [link.sink_address4 for link in lab.plan.links() if link.source == line.node != DOM0]
    if peers:
        line.ask("ping", *peers, deadline=deadline)


def connect_vifs(line: StandbyLine, deadline: Deadline) -> None:
    """Have a node load its driver and connect its vifs: dom0 attaches them, domUs take them up."""
    line.ask("run", "connect-vifs", deadline=deadline)
