"""What waits in the memory of a restored node: it does what is asked, and says when it cannot."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from xenlab.errors import CommandFailed
from xenlab.lab import Lab
from xenlab.plan.links import Link
from xenlab.traffic.plant import PlantKind, planting
from xenlab.transport.standby import StandbyLine, open_standby
from xenlab.waiting import Deadline

ALICE = 1  # index of the node
ABSENT = "10.77.1.99"


@pytest.fixture
def alice(opened: Lab) -> Iterator[StandbyLine]:
    with open_standby("alice", opened.places.standby_socket(ALICE), Deadline.after(30)) as line:
        yield line


@pytest.fixture
def bob_to_alice(opened: Lab) -> Link:
    return next(one for one in opened.plan.links() if (one.source, one.sink) == ("bob", "alice"))


def test_ping_of_a_peer_is_answered(alice: StandbyLine, bob_to_alice: Link) -> None:
    address = bob_to_alice.source_address4
    assert alice.ask("ping", address, deadline=Deadline.after(30)) == ""


def test_ping_of_nobody_fails(alice: StandbyLine) -> None:
    with pytest.raises(CommandFailed, match=f"ping {ABSENT}: "):
        alice.ask("ping", ABSENT, deadline=Deadline.after(30))


def test_answer_with_another_content_fails(
    opened: Lab, alice: StandbyLine, bob_to_alice: Link
) -> None:
    address = bob_to_alice.source_address4
    with (
        planting(opened, bob_to_alice, PlantKind.CORRUPT, every=1),
        pytest.raises(CommandFailed, match=f"ping {address}: the answer is not what was sent"),
    ):
        alice.ask("ping", address, deadline=Deadline.after(30))


def test_program_that_fails_says_why(alice: StandbyLine) -> None:
    with pytest.raises(CommandFailed, match="'/nothing': No such file"):
        alice.ask("run", "cat", "/nothing", deadline=Deadline.after(30))


def test_clock_and_seed_are_needed(alice: StandbyLine) -> None:
    with pytest.raises(CommandFailed, match="usage: awaken"):
        alice.ask("awaken", "1.0", "abc", deadline=Deadline.after(30))


def test_a_device_that_no_bridge_forwards_from_is_not_a_ready_vif(opened: Lab) -> None:
    """Its carrier alone is not enough: a frontend's is there before its backend is connected."""
    waited = opened.shell("dom0").run(
        ["await-vifs", "-t", "1", opened.vif("alice", 0), "lo"], deadline=Deadline.after(30)
    )
    assert waited.status == 1
    assert waited.stderr.decode().strip() == "await-vifs: lo: carrier 1, state as a bridge port -1"
