"""Silence: no node of a lab has anything left to say, and no device of its networks counts."""

from __future__ import annotations

from xenlab.guest.counters import read_counters
from xenlab.guest.link_states import LINK_STATES, find_unknown_carriers
from xenlab.guest.reading import read_node_files
from xenlab.plan.model import DOM0, UPLINK
from xenlab.together import on_all
from xenlab.traffic.handle import LabHandle
from xenlab.waiting import Deadline, wait_until

# Linux keeps the fragments of a datagram for up to 60 s (net.ipv6.ip6frag_time).
SILENCE_BUDGET_S = 75.0
# A new address is reported to routers twice, each time within two jiffies of its node's own time
# (net/ipv6/mcast.c, mld_ifc_work; the lab's interval is 1 ms). Seen on a busy host: 58 ms apart.
REPORTED_AFTER_S = "0.1"


def await_silence(lab: LabHandle) -> None:
    """Return once it is there. Raises WaitTimedOut with what goes on talking.

    A lost fragment or stream is told of, or sent again, long after the run that it belongs to. And
    a node to which the host gives no CPU says nothing, and is not done: between two looks each
    node's own time passes.
    """
    deadline = lab.budget(SILENCE_BUDGET_S)
    _await_links(lab, deadline)
    _await_ends(lab, deadline)
    readings = [_network_counters(lab, deadline)]

    def pass_time(node: str) -> None:
        lab.shell(node).run(["sleep", REPORTED_AFTER_S], deadline=deadline).require_success()

    def unchanged() -> bool:
        on_all(pass_time, lab.plan.node_names)
        readings.append(_network_counters(lab, deadline))
        return readings[-1] == readings[-2]

    wait_until(unchanged, "the networks to fall silent", deadline, last_seen=lambda: readings[-1])


def _await_links(lab: LabHandle, deadline: Deadline) -> None:
    """Return once every node has dealt with each carrier that it got."""
    behind: dict[str, tuple[str, ...]] = {}

    def find(node: str) -> tuple[str, ...]:
        return find_unknown_carriers(
            read_node_files(lab.shell(node), LINK_STATES, (), deadline).files
        )

    def all_known() -> bool:
        behind.update(on_all(find, lab.plan.node_names))
        return not any(behind.values())

    wait_until(all_known, "all carriers to be known", deadline, last_seen=lambda: str(behind))


def _await_ends(lab: LabHandle, deadline: Deadline) -> None:
    unfinished: dict[str, tuple[str, ...]] = {}

    def find(node: str) -> tuple[str, ...]:
        return read_counters(lab.shell(node), node, deadline).unfinished_names

    def all_ended() -> bool:
        unfinished.update(on_all(find, lab.plan.node_names))
        return not any(unfinished.values())

    wait_until(
        all_ended, "all that nodes began to end", deadline, last_seen=lambda: str(unfinished)
    )


def _network_counters(lab: LabHandle, deadline: Deadline) -> str:
    nodes = (DOM0, *lab.plan.backends)

    def read(node: str) -> bytes:
        return lab.shell(node).read_file("/proc/net/dev", deadline=deadline)

    texts = on_all(read, nodes).values()
    lines = [line.strip() for text in texts for line in text.decode().splitlines()]
    return "\n".join(line for line in lines if line.startswith(("vif", "br-", UPLINK)))
