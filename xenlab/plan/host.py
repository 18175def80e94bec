"""HostPlan: a Xen host that is there already, how it is reached and what may be done to it."""

from __future__ import annotations

from dataclasses import dataclass

from xenlab.topology.defaults import SSH_PORT

# Networks on a host are numbered from here on, far from those that a lab's own machine has: the
# host may be dom0 of such a lab.
FIRST_NETWORK = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPlan:
    """The host, by SSH; `reset` is the user's command for when it hangs, empty if there is none.

    `drivers` lets drivers under test be loaded into its kernel.
    """

    user: str
    host: str
    port: int
    identity: str
    known_hosts: str
    reset: str
    drivers: bool

    @property
    def address(self) -> str:
        """As it is named to people: `root@host`, with a port that is not the usual one."""
        port = "" if self.port == SSH_PORT else f":{self.port}"
        return f"{self.user}@{self.host}{port}"
