"""Devices whose node has not dealt with their carrier yet."""

from __future__ import annotations

from xenlab.guest.link_states import find_unknown_carriers

FOLDER = "/sys/class/net"


def states(carrier: str, operstate: str) -> dict[str, tuple[str, ...]]:
    """What a node has with a loopback device, an idle one and eth0; as seen in a guest."""
    return {
        f"{FOLDER}/eth0/carrier": (carrier,),
        f"{FOLDER}/lo/carrier": ("1",),
        f"{FOLDER}/eth0/operstate": (operstate,),
        f"{FOLDER}/lo/operstate": ("unknown",),
        f"{FOLDER}/ifb0/operstate": ("down",),
    }


def test_carrier_that_is_not_known_yet_is_told_by_its_device() -> None:
    assert find_unknown_carriers(states("1", "down")) == ("eth0",)


def test_known_carrier_and_none_at_all_leave_nothing_to_wait_for() -> None:
    assert find_unknown_carriers(states("1", "up")) == ()
    assert find_unknown_carriers(states("0", "down")) == ()
    assert find_unknown_carriers({}) == ()
