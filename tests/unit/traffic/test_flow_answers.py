"""What the two ends of a flow say, parsed; nothing else passes for it."""

from __future__ import annotations

import json

import pytest

from xenlab.errors import MeasurementError
from xenlab.measure.flow import DamageKind, FlowSpec, TcpFlow, Transport, UdpFlow
from xenlab.traffic.flow import parse_flows

UDP = FlowSpec(
    transport=Transport.UDP, address="10.0.0.2", port=20000, seed=1, sizes_bytes=(10, 20)
)
TCP = FlowSpec(transport=Transport.TCP, address="10.0.0.2", port=20001, seed=1, sizes_bytes=(10,))

UDP_SENT = {"schema": 1, "flow": 0, "ended": "complete", "sent": 1, "errors": {"ENOBUFS": 1}}
UDP_RECEIVED = {
    "schema": 1, "flow": 0, "ended": "idle", "received": 1, "intact": 0, "corrupt": 1,
    "truncated": 0, "missing": 1, "duplicates": 0, "foreign": 0, "reordered": 0,
    "missing_indexes": [1],
    "examples": [{"kind": "corrupt", "index": 0, "expected_bytes": 10, "got_bytes": 10,
                  "first_bad_offset": 3, "bad_bytes": 2}],
}  # fmt: skip
TCP_SENT = {"schema": 1, "flow": 1, "ended": "complete", "sent": 10, "errors": {}}
TCP_RECEIVED = {
    "schema": 1, "flow": 1, "ended": "complete", "received": 10, "bad_bytes": 0,
    "first_bad_offset": -1,
}  # fmt: skip


def lines(*answers: dict[str, object]) -> list[bytes]:
    return [json.dumps(answer).encode() for answer in answers]


def test_both_kinds_of_flow_are_read_from_both_ends() -> None:
    udp, tcp = parse_flows([UDP, TCP], lines(UDP_SENT, TCP_SENT), lines(UDP_RECEIVED, TCP_RECEIVED))
    assert isinstance(udp, UdpFlow)
    assert (udp.sent, udp.errors) == (1, (("ENOBUFS", 1),))
    assert (udp.corrupt, udp.missing_indexes, udp.ended) == (1, (1,), "idle")
    assert udp.damages[0].kind is DamageKind.CORRUPT
    assert udp.damages[0].first_bad_offset == 3
    assert isinstance(tcp, TcpFlow)
    assert (tcp.missing_bytes, tcp.receiver_ended) == (0, "complete")


@pytest.mark.parametrize(
    ("sent", "received", "message"),
    [
        ([UDP_SENT | {"flow": 1}], [UDP_RECEIVED], "not an answer of this xlflow"),
        ([UDP_SENT | {"schema": 2}], [UDP_RECEIVED], "not an answer of this xlflow"),
        ([UDP_SENT], [TCP_RECEIVED | {"flow": 0}], "receiver of udp4: intact is absent"),
        ([UDP_SENT], [UDP_RECEIVED | {"missing": 0}], "the datagrams do not add up"),
        ([UDP_SENT], [UDP_RECEIVED | {"received": 2}], "the datagrams do not add up"),
        (
            [UDP_SENT],
            [UDP_RECEIVED | {"examples": [UDP_RECEIVED["examples"][0] | {"kind": "lost"}]}],  # type: ignore[index]
            "'lost' is no kind of damage",
        ),
    ],
)
def test_answers_that_do_not_fit_are_an_error(
    sent: list[dict[str, object]], received: list[dict[str, object]], message: str
) -> None:
    with pytest.raises(MeasurementError, match=message):
        parse_flows([UDP], lines(*sent), lines(*received))
