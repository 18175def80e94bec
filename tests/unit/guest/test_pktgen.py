"""What pktgen and tc answer, recorded in a lab of Linux 6.1.0-56-amd64 and iproute2 6.1.0."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from xenlab.errors import MeasurementError
from xenlab.guest.filters import Counted, Mark, parse_filters
from xenlab.guest.pktgen import FOLDER, RUN, PktgenResult, parse_result
from xenlab.waiting import Deadline, wait_until

RAN = """\
Current:
     pkts-sofar: 1000  errors: 0
     started: 183717060us  stopped: 184956938us idle: 15765us
     flows: 0
Result: OK: 1239877(c1224112+d15765) usec, 1000 (17058byte,17frags)
  806pps 109Mb/sec (109989984bps) errors: 3
"""
CUT_SHORT = RAN.partition("\n  806")[0]
STATS = (
    b'"stats":{"bytes":%d,"packets":%d,"drops":%d,"overlimits":0,"requeues":0,"backlog":0,"qlen":0}'
)
FILTERS = (
    b'[{"protocol":"ip","pref":1,"kind":"u32","chain":0},'
    b'{"protocol":"ip","pref":1,"kind":"u32","chain":0,"options":{"fh":"800:","ht_divisor":1}},'
    b'{"protocol":"ip","pref":1,"kind":"u32","chain":0,"options":{"fh":"800::800","actions":'
    b'[{"order":1,"kind":"gact",' + STATS % (4600, 100, 100) + b"}]}},"
    b'{"protocol":"all","pref":2,"kind":"matchall","chain":0},'
    b'{"protocol":"all","pref":2,"kind":"matchall","chain":0,"options":{"handle":1,"actions":'
    b'[{"order":1,"kind":"gact",' + STATS % (60, 1, 1) + b"}]}}]"
)


def test_result_of_a_run_is_read() -> None:
    assert parse_result("pktgen", RAN) == PktgenResult(
        sent_pkts=1000, refused=3, elapsed_us=1239877
    )


def test_run_is_over_when_its_result_is_there_and_not_when_its_start_returns(
    tmp_path: Path,
) -> None:
    device = tmp_path / "vif1.0"
    device.touch()
    argv = ["sh", "-c", RUN.replace(FOLDER, str(tmp_path)), "sh", device.name, "60", "count 1000"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as running:
        # It starts: all settings are written.
        wait_until((tmp_path / "pgctrl").exists, "its start", Deadline.after(10))
        for unfinished in ("Result: OK: count=1000\n", "Result: Starting\n"):
            device.write_text(unfinished)
            with pytest.raises(subprocess.TimeoutExpired):
                running.wait(timeout=0.1)
        device.write_text(RAN)
        told, _ = running.communicate(timeout=10)

    assert told == RAN


def test_generator_that_cannot_go_on_is_stopped_and_tells_what_it_has_sent(tmp_path: Path) -> None:
    device = tmp_path / "vif1.0"
    device.touch()
    argv = ["sh", "-c", RUN.replace(FOLDER, str(tmp_path)), "sh", device.name, "0", "count 1000"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as running:
        control = tmp_path / "pgctrl"
        stopped = lambda: control.exists() and control.read_text() == "stop\n"  # noqa: E731
        wait_until(stopped, "its stop", Deadline.after(10))
        device.write_text(RAN)
        told, _ = running.communicate(timeout=10)

    assert told == RAN


def test_generator_that_waits_for_its_last_packet_tells_what_it_has_sent() -> None:
    waiting = RAN.partition("Result:")[0] + "Result: Starting\n"
    assert parse_result("pktgen", waiting) == PktgenResult(sent_pkts=1000, refused=0, elapsed_us=0)


@pytest.mark.parametrize("text", ["", "Result: No memory\n", CUT_SHORT])
def test_run_that_came_to_no_result_is_no_zero(text: str) -> None:
    with pytest.raises(MeasurementError, match="pktgen: "):
        parse_result("pktgen", text)


def test_counts_of_both_filters_are_read() -> None:
    assert parse_filters("tc", FILTERS) == (
        Counted(packets=100, bytes=4600),
        Counted(packets=1, bytes=60),
    )


@pytest.mark.parametrize("text", [b"[]", b"", FILTERS.replace(b"matchall", b"flower")])
def test_filters_that_are_gone_are_no_zero(text: bytes) -> None:
    with pytest.raises(MeasurementError):
        parse_filters("tc", text)


def test_mark_is_words_for_tc() -> None:
    mark = Mark(words=((28, 0xBE9BE955),))

    assert mark.matches == ("match", "u32", "0xbe9be955", "0xffffffff", "at", "28")
