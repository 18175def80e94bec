"""A vif is at rest by what it tells, and not by what it does not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from xenlab.guest.reading import NodeFiles
from xenlab.traffic.link_sight import ENDINGS, SENT
from xenlab.traffic.observed import unrest_of, untold_of
from xenlab.xen.rings import parse_ring

RECORDED = (Path(__file__).parents[1] / "xen/recorded/io_ring_q0.txt").read_text()
RINGS = (parse_ring("/sys/kernel/debug/xen-netback/vif1.0/io_ring_q0", RECORDED.splitlines()),)
SUCCESS, FAIL = ENDINGS
BACK = {SENT: 5, SUCCESS: 3, FAIL: 2}


def told(statistics: Mapping[str, Mapping[str, int]]) -> NodeFiles:
    return NodeFiles(files={}, statistics=statistics)


def test_vif_that_tells_all_is_at_rest_when_as_many_came_back_as_went() -> None:
    files = told({"vif1.0": BACK})

    assert (unrest_of(RINGS, files), untold_of(["vif1.0"], RINGS, files)) == ("", "")


def test_packets_that_did_not_come_back_are_told() -> None:
    files = told({"vif1.0": {**BACK, FAIL: 0}})

    assert unrest_of(RINGS, files) == "vif1.0: 2 zerocopy packets have not come back"


@pytest.mark.parametrize("absent", [SENT, SUCCESS, FAIL])
def test_counter_that_is_not_there_is_no_zero(absent: str) -> None:
    files = told({"vif1.0": {name: 0 for name in BACK if name != absent}})

    assert unrest_of(RINGS, files) == ""
    assert untold_of(["vif1.0"], RINGS, files) == f"`ethtool -S vif1.0` does not tell {absent}"


def test_vif_of_which_nothing_is_told_is_named_beside_one_that_tells_all() -> None:
    assert untold_of(["vif1.0", "vif2.0"], RINGS, told({"vif1.0": BACK})) == (
        f"no ring of vif2.0 was seen; `ethtool -S vif2.0` does not tell {SENT}, {SUCCESS}, {FAIL}"
    )


def test_device_of_another_kind_needs_no_such_counters() -> None:
    files = told({"eth0": {"rx_gso_checksum_fixup": 0}, "vif1.0": BACK})

    assert (unrest_of(RINGS, files), untold_of(["vif1.0"], RINGS, files)) == ("", "")
