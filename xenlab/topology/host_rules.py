"""A host that is there already, in place of a machine: what may be said of it, and what may not.

As in `references`, these look at the values as read; what is malformed has its own problem.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path as FilePath

from xenlab.topology.defaults import SSH_PORT
from xenlab.topology.document import Path, Value
from xenlab.topology.model import HostSpec, Topology
from xenlab.topology.wording import quote

SSH_PATTERN = "^[a-z_][a-z0-9_-]{0,31}@[A-Za-z0-9][A-Za-z0-9.-]{0,252}(:[0-9]{1,5})?$"
PORT_MAX = 65535
# The toolstack needs it, and nothing here calls sudo.
USER = "root"
# Of the machine section: what is said of a host, and has no meaning without one.
OF_A_HOST = ("identity", "known_hosts", "reset", "drivers")
# What a machine of ours is given when it boots; a host has booted, as somebody else saw fit.
FIXED = {
    "machine": (
        "cpus", "memory", "accel", "cpu_model", "iommu", "interrupt_remapping",
        "iommu_passthrough", "nic",
    ),
    "xen": ("command_line", "iommu", "boot"),
    "dom0": ("vcpus", "memory", "command_line", "type", "iommu"),
}  # fmt: skip


def parse_ssh(text: str) -> tuple[str, str, int]:
    """User, host and port of `USER@HOST:PORT`. Raises ValueError for what is none."""
    if not re.fullmatch(SSH_PATTERN, text):
        raise ValueError(f"{quote(text)} is no SSH address; write `root@host` or `root@host:2222`")
    user, _, place = text.partition("@")
    host, _, port = place.partition(":")
    if user != USER:
        raise ValueError(
            f"{quote(user)} may not use the toolstack; write {quote(f'{USER}@{host}')}"
        )
    number = int(port or SSH_PORT)
    if not 0 < number <= PORT_MAX:
        raise ValueError(f"{number} is no port; there are 1 to {PORT_MAX}")
    return user, host, number


def check_ssh(text: str) -> str:
    """The text if it is an SSH address of root's."""
    parse_ssh(text)
    return text


def find_misplaced_host(root: Mapping[str, Value]) -> Iterator[tuple[Path, str]]:
    """The place of each setting that does not go with a host, or without one, and why."""
    machine = _section(root.get("machine"))
    if machine.get("ssh") is None:
        for key in OF_A_HOST:
            if key in machine:
                yield ("machine", key), f"{quote(key)} is for a host that is reached by `ssh`"
        return
    for name, keys in FIXED.items():
        section = _section(root.get(name))
        for key in keys:
            if key in section:
                yield (name, key), f"the host at `ssh` has booted: leave {quote(key)} away"
    if _section(root.get("dom0")).get("forwarding") is True:
        why = "whether the host at `ssh` routes is not for a lab to change; leave `forwarding` away"
        yield ("dom0", "forwarding"), why


def resolve_host(topology: Topology, folder: FilePath) -> Topology:
    """The topology with the paths of its host, if it has one, taken from a folder on."""
    host = topology.machine.host
    if host is None:
        return topology
    resolved: HostSpec = replace(
        host,
        identity=str(folder / FilePath(host.identity).expanduser()),
        known_hosts=str(folder / FilePath(host.known_hosts).expanduser()),
    )
    return replace(topology, machine=replace(topology.machine, host=resolved))


def _section(value: Value) -> Mapping[str, Value]:
    return value if isinstance(value, dict) else {}
