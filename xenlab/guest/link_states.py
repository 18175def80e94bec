"""Link states: devices whose node has not dealt yet with the carrier that they got.

A change of a carrier that is not urgent is dealt with up to a second later (net/core/link_watch.c);
only then does a device that got one go up in its operstate, and its node makes the addresses on it
known once more (NETDEV_CHANGE in net/ipv6/addrconf.c).
"""

from __future__ import annotations

# No line of a device that is down itself: its carrier cannot be read then.
LINK_STATES = "grep -s . /sys/class/net/*/carrier /sys/class/net/*/operstate"
CARRIER, OPERSTATE = "carrier", "operstate"


def find_unknown_carriers(states: str) -> tuple[str, ...]:
    """The devices that have a carrier and are down all the same, in what LINK_STATES writes."""
    told: dict[str, dict[str, str]] = {}
    for line in states.splitlines():
        path, _, value = line.partition(":")
        *_, device, file = path.split("/")
        told.setdefault(device, {})[file] = value
    return tuple(
        device
        for device, files in told.items()
        if files.get(CARRIER) == "1" and files.get(OPERSTATE) == "down"
    )
