"""A vif's ring in netback's debugfs.

`recorded/io_ring_q0.txt` was read from vif1.0 of topology `pair`, Linux 6.1.192, after a few pings.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from xenlab.errors import MeasurementError
from xenlab.xen.rings import parse_ring, ring_files

RECORDED = (Path(__file__).parent / "recorded/io_ring_q0.txt").read_text()
PATH = "/sys/kernel/debug/xen-netback/vif1.0/io_ring_q0"


def parse(text: str = RECORDED) -> list[str]:
    return list(parse_ring(PATH, text.splitlines()).unrest)


def test_ring_is_read_whole() -> None:
    ring = parse_ring(PATH, RECORDED.splitlines())

    assert (ring.vif, ring.queue) == ("vif1.0", 0)
    assert ring.from_guest is not None
    assert ring.to_guest is not None
    assert (ring.from_guest.ring.req_prod, ring.from_guest.ring.req_event) == (17, 18)
    assert (ring.from_guest.pending_prod, ring.from_guest.dealloc_cons) == (273, 9)
    assert (ring.to_guest.req_prod, ring.to_guest.rsp_event) == (268, 13)
    assert (ring.queue_max_bytes, ring.queued_pkts, ring.stopped) == (524288, 0, False)
    assert parse() == []


@pytest.mark.parametrize(
    ("there", "instead", "unrest"),
    [
        ("nr_pending_reqs 0", "nr_pending_reqs 3", "vif1.0 queue 0: 3 slots pending"),
        ("dealloc_queue 0", "dealloc_queue 2", "vif1.0 queue 0: 2 slots to unmap"),
        ("req prod 17 (0)", "req prod 19 (2)", "vif1.0 queue 0: 2 requests not taken"),
        ("TX queue len 0", "TX queue len 1", "vif1.0 queue 0: 1 packets not handed on"),
        ("pkts 0 running", "pkts 4 stopped", "vif1.0 queue 0: 4 packets for the guest"),
    ],
)
def test_what_is_on_its_way_is_named(there: str, instead: str, unrest: str) -> None:
    assert there in RECORDED
    assert parse(RECORDED.replace(there, instead)) == [unrest]


def test_ring_that_is_not_connected_is_none() -> None:
    start, end = RECORDED.index("TX: nr_ents"), RECORDED.index("NAPI")

    ring = parse_ring(PATH, (RECORDED[:start] + RECORDED[end:]).splitlines())

    assert (ring.from_guest, ring.to_guest) == (None, None)


@pytest.mark.parametrize(
    ("there", "instead"), [("Rx internal queue", "Queue"), ("pending cons", "pending used")]
)
def test_what_is_not_understood_is_refused(there: str, instead: str) -> None:
    with pytest.raises(MeasurementError, match="io_ring_q0"):
        parse(RECORDED.replace(there, instead))


def test_files_of_all_queues_are_meant() -> None:
    assert ring_files("vif1.0") == "/sys/kernel/debug/xen-netback/vif1.0/io_ring_q*"
