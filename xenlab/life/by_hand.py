"""What a person would type to make a booted machine a connected lab: for those who time us."""

from __future__ import annotations

import shlex
import socket

from xenlab.life.connect import render_ping_argv
from xenlab.plan.model import DOM0, LabPlan
from xenlab.transport.keys import SshKeys
from xenlab.transport.ssh_program import render_ssh_argv
from xenlab.xen.vif import AWAIT_VIFS, SERVE_VIFS

# Nobody has noted the domU's number by then: Xen is asked for it.
PROXY = "exec vchan-pipe connect $(xl domid {node})"


def take_free_port() -> int:
    """A port of the loopback that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def render_steps(plan: LabPlan, keys: SshKeys, port: int) -> list[list[list[str]]]:
    """Groups of argv: those of a group run side by side, one group after the other."""
    known_hosts = keys.write_known_hosts(plan.node_names)

    def on(node: str, line: str) -> list[str]:
        proxy = None if node == DOM0 else PROXY.format(node=node)
        return [*render_ssh_argv(node, port, keys.private_key, known_hosts, proxy), line]

    links = [link for link in plan.links() if link.source != DOM0]
    pings = {link.source: "" for link in links}
    for link in links:
        command = shlex.join(render_ping_argv(link))
        pings[link.source] += f" && {command}" if pings[link.source] else command
    groups = [
        [on(node, SERVE_VIFS) for node in plan.backends],
        [on(node, "connect-vifs") for node in plan.domain_names],
        [on(node, AWAIT_VIFS) for node in (DOM0, *plan.backends)],
        [on(node, line) for node, line in pings.items()],
    ]
    return [group for group in groups if group]
