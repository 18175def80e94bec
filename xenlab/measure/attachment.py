"""Attachment: where a node meets a network, and what its devices are there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DOM0 = "dom0"


class Role(StrEnum):
    """What a device is on a path."""

    NETFRONT = "netfront"
    VIF = "vif"
    BRIDGE = "bridge"
    NIC = "NIC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """Where a node meets a network, whose bridge is in `backend`: dom0, or a driver domain.

    A domU: its netfront device, and the vif that is the backend's end of it. The backend: the
    bridge device itself, and no vif. The outside peer: a NIC at its end of a wire, and the
    backend's at the other end.
    """

    node: str
    device: str
    bridge: str
    vif: str = ""
    nic: str = ""
    backend: str = DOM0

    @property
    def is_backend(self) -> bool:
        """Whether the backend itself is the end here."""
        return not self.port

    @property
    def port(self) -> str:
        """The port of the bridge that leads there."""
        return self.vif or self.nic

    @property
    def roles(self) -> tuple[Role, Role]:
        """What its own device is, and the port."""
        return (Role.NIC, Role.NIC) if self.nic else (Role.NETFRONT, Role.VIF)
