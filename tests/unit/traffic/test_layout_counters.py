"""What the two looks of a node say, look by look, whatever else they say."""

from __future__ import annotations

from xenlab.traffic.layout_counters import parse_looks

# ethtool -S of a vif, and what the script adds; Linux 6.1.192, Debian 12.
TEXT = """\
LOOK
rx: 12
drops:
LOOK
rx: 12
drops: 3
NIC statistics:
     rx_gso_checksum_fixup: 0
     tx_zerocopy_sent: 7
     tx_zerocopy_success: 0
     tx_zerocopy_fail: 7
     tx_frag_overflow: 0
"""


def test_each_look_has_its_counters_and_none_that_was_not_told() -> None:
    first, last = parse_looks(TEXT)

    assert first == {"rx": 12}
    assert (last["rx"], last["drops"], last["tx_zerocopy_sent"]) == (12, 3, 7)
