"""What iperf3 3.12 answers, shortened to the fields that are read; and /proc/stat of Linux 6.1."""

from __future__ import annotations

import pytest

from xenlab.errors import MeasurementError
from xenlab.guest.cpu import parse_busy_ns
from xenlab.traffic.iperf import IperfResult, parse_iperf

ANSWER = b"""{"start": {"version": "iperf 3.12"}, "intervals": [], "end": {
 "streams": [], "sum_sent": {"seconds": 2.0001, "bytes": 9000000, "retransmits": 4},
 "sum_received": {"start": 0, "end": 2.01, "seconds": 2.01, "bytes": 8990000}}}"""
STAT = "cpu  10 1 20 900 5 2 3 40 0 0\ncpu0 10 1 20 900 5 2 3 40 0 0\nintr 1\n"


def test_answer_is_read() -> None:
    assert parse_iperf("iperf3", ANSWER) == IperfResult(
        received_bytes=8990000, elapsed_us=2010000, retransmits=4
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b'{"error": "unable to connect to server: Connection refused"}', "Connection refused"),
        (b"", "not JSON"),
        (ANSWER.replace(b"sum_received", b"sum"), "sum_received is absent"),
        (ANSWER.replace(b"8990000", b'"many"'), "bytes is not a whole number"),
    ],
)
def test_answer_without_a_result_is_no_zero(text: bytes, why: str) -> None:
    with pytest.raises(MeasurementError, match=why):
        parse_iperf("iperf3", text)


def test_cpu_is_busy_but_when_idle_or_waiting_or_stolen() -> None:
    assert parse_busy_ns("dom0", STAT) == (10 + 1 + 20 + 2 + 3) * 10_000_000


@pytest.mark.parametrize("text", ["", "cpu 1 2", "intr 1 2 3 4 5 6 7 8", "cpu a b c d e f g h"])
def test_cpu_time_that_is_not_told_is_no_zero(text: str) -> None:
    with pytest.raises(MeasurementError, match="dom0: /proc/stat"):
        parse_busy_ns("dom0", text)
