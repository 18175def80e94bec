"""Files and device statistics of a node out of one command's output."""

from __future__ import annotations

import pytest

from xenlab.errors import MeasurementError
from xenlab.guest.reading import parse_node_files

TEXT = """/sys/class/net/vif1.0/statistics/rx_packets:780
/sys/kernel/tracing/events/xl/slot/hist:# event histogram
/sys/kernel/tracing/events/xl/slot/hist:
/sys/kernel/tracing/events/xl/slot/hist:{ users:          1 } hitcount:        780
vif1.0:tx_zerocopy_sent: 9
"""


def test_lines_belong_to_files_and_numbers_to_devices() -> None:
    files = parse_node_files(TEXT)

    assert files.number("/sys/class/net/vif1.0/statistics/rx_packets") == 780
    assert files.files["/sys/kernel/tracing/events/xl/slot/hist"][1:] == (
        "",
        "{ users:          1 } hitcount:        780",
    )
    assert files.statistics == {"vif1.0": {"tx_zerocopy_sent": 9}}


def test_file_that_is_not_there_and_one_with_words_have_no_number() -> None:
    files = parse_node_files(TEXT)

    assert files.number("/sys/class/net/vif2.0/statistics/rx_packets") is None
    assert files.number("/sys/kernel/tracing/events/xl/slot/hist") is None


def test_number_is_another_one_only_where_there_is_no_file() -> None:
    files = parse_node_files("/here:7\n/words:-1\n")

    assert (files.number_or("/here", 18), files.number_or("/lacking", 18)) == (7, 18)
    with pytest.raises(MeasurementError, match="/words: no number in '-1'"):
        files.number_or("/words", 18)
