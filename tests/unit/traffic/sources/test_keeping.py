"""A driver that gives nothing back is told by rings that stand still, and by nothing less."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from xenlab.errors import DriverFailed
from xenlab.traffic.link_sight import STILL_LOOKS, LinkSight
from xenlab.traffic.sources.keeping import NotBack, find_standstill, require_movement
from xenlab.xen.rings import parse_ring

RECORDED = (Path(__file__).parents[2] / "xen/recorded/io_ring_q0.txt").read_text()
FILE = "/sys/kernel/debug/xen-netback/vif1.0/io_ring_q0"


def sight(pending: int = 0) -> LinkSight:
    text = RECORDED.replace("nr_pending_reqs 0", f"nr_pending_reqs {pending}")
    rings = (parse_ring(FILE, text.splitlines()),)
    return LinkSight(counters={}, rings=rings, statistics={"vif1.0": {}})


def test_packet_that_is_out_while_nothing_moves_is_kept() -> None:
    at_rest = find_standstill([sight()] * STILL_LOOKS, is_out=True)
    pending = find_standstill([sight(2)] * STILL_LOOKS, is_out=True)

    assert at_rest == "the rings stand still, nothing on its way in them"
    assert pending == "the rings stand still, vif1.0 queue 0: 2 slots pending"


@pytest.mark.parametrize("is_out", [True, False])
def test_rings_that_move_say_nothing_yet(is_out: bool) -> None:
    assert not find_standstill([sight(3), *[sight(2)] * STILL_LOOKS], is_out=is_out)


def test_device_without_room_has_failed_only_if_its_ring_is_not_at_rest() -> None:
    assert not find_standstill([sight()] * STILL_LOOKS, is_out=False)
    assert find_standstill([sight(2)] * STILL_LOOKS, is_out=False)


def test_way_without_a_ring_says_nothing() -> None:
    unseen = replace(sight(), rings=())

    assert not find_standstill([unseen] * STILL_LOOKS, is_out=True)


def test_standstill_is_the_drivers_failure_and_movement_is_nobodys() -> None:
    error = NotBack("xlsource: the packet behind 3 others is not back in time", is_out=True)

    require_movement(error, [sight(3), *[sight()] * STILL_LOOKS])
    with pytest.raises(DriverFailed, match="3 others is not back in time: the rings stand still"):
        require_movement(error, [sight()] * STILL_LOOKS)
