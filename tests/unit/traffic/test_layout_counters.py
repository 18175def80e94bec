"""What the two looks of a node say, look by look, whatever else they say."""

from __future__ import annotations

from xenlab.traffic.layout_counters import parse_looks

# ethtool -S of a vif, and what the script adds; Linux 6.1.192, Debian 12.
TEXT = """\
LOOK
NIC statistics:
     rx_gso_checksum_fixup: 0
     tx_zerocopy_sent: 7
     tx_zerocopy_success: 0
     tx_zerocopy_fail: 6
     tx_frag_overflow: 0
rx: 12
drops:
LOOK
NIC statistics:
     rx_gso_checksum_fixup: 0
     tx_zerocopy_sent: 7
     tx_zerocopy_success: 0
     tx_zerocopy_fail: 7
     tx_frag_overflow: 0
rx: 12
drops: 3
"""


def test_each_look_has_its_counters_and_none_that_was_not_told() -> None:
    first, last = parse_looks(TEXT)

    assert first["tx_zerocopy_fail"] == 6
    assert first["rx"] == 12
    assert "drops" not in first
    assert last == {**first, "tx_zerocopy_fail": 7, "drops": 3}
