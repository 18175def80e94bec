"""The answer of `xlflow counters`: typed, summed once, and never zero for what is absent."""

from __future__ import annotations

import json

import pytest

from xenlab.errors import MeasurementError
from xenlab.guest.answer import ANSWER_MAX_BYTES, Answer
from xenlab.guest.counters import parse_counters


def answer(**changes: object) -> bytes:
    fields: dict[str, object] = {
        "schema": 1,
        "devices": {"vif1.0": {"rx_packets": 5}, "eth0": {"rx_packets": 7}},
        "qdiscs": [
            {"device": "vif1.0", "kind": "mq", "drops": 30},
            {"device": "vif1.0", "kind": "fq_codel", "drops": 10},
            {"device": "vif1.0", "kind": "fq_codel", "drops": 20},
            {"device": "vif1.0", "kind": "clsact", "drops": 4},
            {"device": "gone", "kind": "noqueue", "drops": 9},
        ],
        "protocols": {"UdpNoPorts": 2},
        "unfinished": {"fragments4": 0, "fragments6": 2, "streams": 0},
    }
    return json.dumps(fields | changes).encode()


def test_counters_are_read_by_device_and_by_protocol() -> None:
    snapshot = parse_counters("dom0", answer())
    assert snapshot.device("vif1.0", "rx_packets") == 5
    assert snapshot.protocol("UdpNoPorts") == 2
    assert snapshot.node == "dom0"


def test_what_has_no_end_yet_is_named() -> None:
    assert parse_counters("dom0", answer()).unfinished_names == ("fragments6 2",)


def test_drops_of_queues_are_added_up_without_the_sum_that_mq_shows() -> None:
    snapshot = parse_counters("dom0", answer())
    assert snapshot.device("vif1.0", "qdisc_drops") == 34
    assert snapshot.device("eth0", "qdisc_drops") == 0


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{",
        b"xlflow: not found",
        b"\xff",
        b"[" * 100000,
        answer(schema=2),
        answer(devices=[]),
        answer(devices={"eth0": 1}),
        answer(devices={"eth0": {"rx_packets": "7"}}),
        answer(devices={"eth0": {"rx_packets": True}}),
        answer(qdiscs={}),
        answer(qdiscs=[1]),
        answer(qdiscs=[{"device": "eth0", "kind": "mq2"}]),
        answer(protocols={"UdpNoPorts": 1.5}),
    ],
)
def test_answer_that_is_not_one_is_an_error(text: bytes) -> None:
    with pytest.raises(MeasurementError):
        parse_counters("dom0", text)


def test_answer_without_a_part_is_an_error_that_names_it() -> None:
    with pytest.raises(MeasurementError, match="counters of dom0: protocols is absent"):
        parse_counters("dom0", b'{"schema": 1, "devices": {}, "qdiscs": []}')


def test_answer_beyond_all_measure_is_refused_unread() -> None:
    with pytest.raises(MeasurementError, match="an answer of"):
        Answer.parse("x", b" " * (ANSWER_MAX_BYTES + 1))


def test_list_of_numbers_with_something_else_in_it_is_an_error() -> None:
    with pytest.raises(MeasurementError, match="more than whole numbers"):
        Answer.parse("x", b'{"a": [1, "2"]}').integers("a")
