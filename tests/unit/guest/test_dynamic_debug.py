"""Debug lines of the drivers: counted, and switched back to what they were."""

from __future__ import annotations

import pytest

from xenlab.errors import MeasurementError
from xenlab.guest.dynamic_debug import build_undo, count_lines, require_whole

# Of dom0's /sys/kernel/debug/dynamic_debug/control, Linux 6.1.192; the second one is switched on.
CONTROL = [
    'drivers/net/xen-netback/interface.c:551 [xen_netback]xenvif_alloc =_ "Successfully\\012"',
    'drivers/net/xen-netback/xenbus.c:293 [xen_netback]backend_switch_state =p "%s -> %s\\012"',
]
LOG = """[  306.51] xenlab: debug lines 0481aad013587918
[  307.10] xennet: skb rides the rocket: 25 slots, 1084 bytes
[  307.11] xennet: skb rides the rocket: 25 slots, 1084 bytes
[  307.12] vif vif-1-0 vif1.0: fatal error; disabling device
"""


def test_lines_are_counted_by_name() -> None:
    counted = count_lines(require_whole("alice", "0481aad013587918", LOG))

    assert {name: count for name, count in counted.items() if count} == {
        "rides the rocket": 2,
        "fatal error": 1,
    }


def test_log_that_lost_its_beginning_counts_nothing() -> None:
    with pytest.raises(MeasurementError, match="alice: more lines than its kernel log holds"):
        require_whole("alice", "0481aad013587918", LOG.partition("\n")[2])


def test_undo_switches_off_what_was_off_and_leaves_on_what_was_on() -> None:
    assert build_undo(["xen_netback"], CONTROL) == (
        "module xen_netback -p",
        "file drivers/net/xen-netback/xenbus.c line 293 +p",
    )
