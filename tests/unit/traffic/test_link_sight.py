"""Slots that nobody answers are told from those of packets that are on their way, or held."""

from __future__ import annotations

from pathlib import Path

from xenlab.traffic.link_sight import SENT, STILL_LOOKS, LinkSight, stands_still
from xenlab.xen.rings import parse_ring

RECORDED = (Path(__file__).parents[1] / "xen/recorded/io_ring_q0.txt").read_text()
FILE = "/sys/kernel/debug/xen-netback/vif1.0/io_ring_q0"


def sight(pending: int, zerocopy_sent: int = 0) -> LinkSight:
    text = RECORDED.replace("nr_pending_reqs 0", f"nr_pending_reqs {pending}")
    rings = (parse_ring(FILE, text.splitlines()),)
    return LinkSight(counters={}, rings=rings, statistics={"vif1.0": {SENT: zerocopy_sent}})


def test_slots_that_stay_are_never_answered_whether_or_not_a_packet_is_held() -> None:
    assert stands_still([sight(9), *[sight(2)] * STILL_LOOKS])
    assert stands_still([sight(2, zerocopy_sent=1)] * STILL_LOOKS)


def test_slots_that_change_or_were_seen_too_seldom_are_not() -> None:
    assert not stands_still([sight(2)] * (STILL_LOOKS - 1))
    assert not stands_still([*[sight(2)] * STILL_LOOKS, sight(3)])
    assert not stands_still([sight(2, 1), *[sight(2)] * (STILL_LOOKS - 1)])
    assert not stands_still([sight(0)] * STILL_LOOKS)
