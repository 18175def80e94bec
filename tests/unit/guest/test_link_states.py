"""Devices whose node has not dealt with their carrier yet."""

from __future__ import annotations

from xenlab.guest.link_states import find_unknown_carriers

FOLDER = "/sys/class/net"


def states(carrier: str, operstate: str) -> str:
    """What a node writes that has a loopback device, an idle one and eth0; as seen in a guest."""
    return (
        f"{FOLDER}/eth0/carrier:{carrier}\n{FOLDER}/lo/carrier:1\n"
        f"{FOLDER}/eth0/operstate:{operstate}\n{FOLDER}/lo/operstate:unknown\n"
        f"{FOLDER}/ifb0/operstate:down\n"
    )


def test_carrier_that_is_not_known_yet_is_told_by_its_device() -> None:
    assert find_unknown_carriers(states("1", "down")) == ("eth0",)


def test_known_carrier_and_none_at_all_leave_nothing_to_wait_for() -> None:
    assert find_unknown_carriers(states("1", "up")) == ()
    assert find_unknown_carriers(states("0", "down")) == ()
    assert find_unknown_carriers("") == ()
