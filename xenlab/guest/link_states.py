"""Link states: devices whose node has not dealt yet with the carrier that they got.

A change of a carrier that is not urgent is dealt with up to a second later (net/core/link_watch.c);
only then does a device that got one go up in its operstate, and its node makes the addresses on it
known once more (NETDEV_CHANGE in net/ipv6/addrconf.c).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# A device that is down itself has no carrier to be read.
LINK_STATES = ("/sys/class/net/*/carrier", "/sys/class/net/*/operstate")
CARRIER, OPERSTATE = "carrier", "operstate"


def find_unknown_carriers(states: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The devices that have a carrier and are down all the same, by the lines of LINK_STATES."""
    told: dict[str, dict[str, str]] = {}
    for path, lines in states.items():
        *_, device, file = path.split("/")
        told.setdefault(device, {})[file] = "".join(lines)
    return tuple(
        device
        for device, files in told.items()
        if files.get(CARRIER) == "1" and files.get(OPERSTATE) == "down"
    )
