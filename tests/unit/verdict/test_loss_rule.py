"""The rule of loss: silent or named, and doubted where a counter did not see the flow."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.measure.accounts import ALICE, DOM0, PEER, deltas, through
from tests.unit.verdict.measurements import lost, measured, tcp, udp
from xenlab.measure.attachment import Attachment
from xenlab.measure.measurement import build_measurement
from xenlab.measure.path import build_path
from xenlab.verdict.loss import STANDSTILL_CONTROL, WIRE_CONTROL, judge_loss
from xenlab.verdict.outcome import Outcome


def test_everything_that_was_sent_arrived() -> None:
    verdict = judge_loss(measured(udp()))
    assert verdict.outcome is Outcome.PASS
    assert verdict.numbers["forward_packets"] == 60
    assert verdict.control == (
        "counted on the way: alice eth0 60, vif1.0 60, vif2.0 60, bob eth0 60"
    )


def test_account_of_no_flow_at_all_proves_nothing() -> None:
    verdict = judge_loss(measured())
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.reasons == ("nothing was sent",)


def test_loss_that_a_duplicate_makes_up_for_is_a_loss_all_the_same() -> None:
    """TCP sends again what was dropped, and takes once what came twice: only the place tells."""
    counted = through(61) | {"dom0 vif2.0 tx_dropped": 1}
    verdict = judge_loss(measured(tcp(), counted=counted))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == (
        "loss at dom0 vif2.0 tx_dropped 1, although as many packets came out: others came twice",
    )


def test_datagram_without_its_fragment_is_not_another_loss() -> None:
    counted = through(60, vif2=58) | {"bob IpReasmFails": 2}
    verdict = judge_loss(measured(lost(2), counted=counted))
    assert verdict.outcome is Outcome.FAIL
    assert "ReasmFails" not in " ".join(verdict.reasons)


def test_datagram_without_a_fragment_that_no_hop_misses_is_named() -> None:
    verdict = judge_loss(measured(lost(2), counted=through(60) | {"bob IpReasmFails": 2}))
    assert "loss at bob IpReasmFails 2" in verdict.reasons


def test_loss_that_two_counters_tell_is_told_once() -> None:
    counted = through(60) | {"bob UdpInErrors": 2, "bob UdpInCsumErrors": 2}
    verdict = judge_loss(measured(lost(2), counted=counted))
    assert "loss at bob UdpInCsumErrors 2" in verdict.reasons
    assert "UdpInErrors" not in " ".join(verdict.reasons)


def test_loss_that_no_counter_explains_is_silent_and_has_its_place() -> None:
    verdict = judge_loss(measured(lost(12), counted=through(60, vif2=48)))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons[0] == "silent loss between vif1.0 and vif2.0: 12 of 60 packets"
    assert verdict.numbers["packets_lost_silently"] == 12


def test_loss_that_a_counter_explains_has_its_name() -> None:
    counted = through(60, bob=57) | {"bob eth0 rx_errors": 3}
    verdict = judge_loss(measured(lost(3), counted=counted))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons[0] == "loss at bob eth0 rx_errors 3"
    assert "silent" not in " ".join(verdict.reasons)
    assert verdict.numbers["packets_lost_silently"] == 0


def test_loss_that_is_explained_in_part_is_silent_in_part() -> None:
    counted = through(60, vif2=48) | {"dom0 vif2.0 tx_dropped": 10}
    verdict = judge_loss(measured(lost(12), counted=counted))
    assert verdict.reasons[:2] == (
        "silent loss between vif1.0 and vif2.0: 2 of 60 packets",
        "loss at dom0 vif2.0 tx_dropped 10",
    )


def test_loss_that_tcp_made_good_is_a_loss() -> None:
    verdict = judge_loss(measured(tcp(), counted=through(60, vif2=59)))
    assert verdict.outcome is Outcome.FAIL


@pytest.mark.parametrize(
    "counter", ["alice eth0 filter_drops", "alice eth0 rx_dropped", "bob eth0 filter_drops",
                "bob eth0 rx_dropped"]
)  # fmt: skip
def test_loss_at_an_end_that_tcp_made_good_is_a_loss(counter: str) -> None:
    verdict = judge_loss(measured(tcp(), counted=through(60) | {counter: 1}))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == (f"loss at {counter} 1",)


def test_loss_at_an_end_that_nobody_counts_is_known_by_the_gap_in_the_stream() -> None:
    verdict = judge_loss(measured(tcp(), counted=through(60) | {"bob TcpExtTCPOFOQueue": 2}))
    assert verdict.outcome is Outcome.FAIL
    (reason,) = verdict.reasons
    assert reason.startswith("2 packets of a stream came behind a gap: overtaken, or a silent loss")


def test_gap_is_explained_by_a_loss_on_the_way_or_in_the_senders_queue() -> None:
    gap = {"bob TcpExtTCPOFOQueue": 2}
    verdict = judge_loss(measured(tcp(), counted=through(60, vif2=59) | gap))
    assert verdict.reasons == ("silent loss between vif1.0 and vif2.0: 1 of 60 packets",)
    queue = {"alice eth0 qdisc_drops": 1}
    assert judge_loss(measured(tcp(), counted=through(60) | gap | queue)).outcome is Outcome.PASS


def test_loss_on_the_way_back_is_a_loss() -> None:
    counted = through(60) | {
        "bob eth0 tx_packets": 30,
        "dom0 vif2.0 rx_packets": 29,
        "dom0 vif1.0 tx_packets": 29,
        "alice eth0 rx_packets": 29,
    }
    verdict = judge_loss(measured(tcp(), counted=counted))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == ("silent loss between bob eth0 and vif2.0: 1 of 30 packets",)


def test_datagram_that_reached_the_device_and_not_the_socket_is_a_silent_loss_there() -> None:
    verdict = judge_loss(measured(lost(2)))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == (
        "udp4: 2 of 60 datagrams missing (first: 58, 59)",
        "silent loss between bob eth0 and its socket",
    )


def test_datagram_whose_checksum_was_wrong_has_that_name() -> None:
    counted = through(60) | {"bob UdpInCsumErrors": 2, "bob UdpInErrors": 2}
    verdict = judge_loss(measured(lost(2), counted=counted))
    assert verdict.outcome is Outcome.FAIL
    assert "loss at bob UdpInCsumErrors 2" in verdict.reasons


def test_datagram_that_never_left_the_source_is_a_loss_at_the_source() -> None:
    counted = through(58) | {"alice eth0 qdisc_drops": 2}
    verdict = judge_loss(measured(lost(2), counted=counted))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons[0] == "loss at alice eth0 qdisc_drops 2"

    verdict = judge_loss(measured(lost(2), counted=through(58)))
    assert verdict.reasons[0] == "silent loss between the socket and alice eth0: 2 of 60 packets"


def test_send_that_was_refused_is_told_and_not_called_silent() -> None:
    flow = replace(lost(2), sent=58, errors=(("ENOBUFS", 2),))
    verdict = judge_loss(measured(flow, counted=through(58)))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons[0] == "udp4: the sender met ENOBUFS 2 times"
    assert "silent" not in " ".join(verdict.reasons)


def test_stream_that_stopped_is_a_loss() -> None:
    flow = tcp(received_bytes=4096, sender_ended="timeout", receiver_ended="idle")
    verdict = judge_loss(measured(flow))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons[0] == (
        "tcp4: 95904 of 100000 bytes missing; sender ended timeout, receiver ended idle"
    )


@pytest.mark.parametrize("error", ["ENETUNREACH", "EHOSTUNREACH", "ECONNREFUSED"])
def test_flow_that_was_never_made_is_inconclusive(error: str) -> None:
    flow = replace(lost(60), sent=0, errors=((error, 60),))
    verdict = judge_loss(measured(flow, counted=through(0)))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.reasons[0] == f"alice eth0 never sent: {error} 60"


def test_receiver_that_was_overrun_is_inconclusive() -> None:
    verdict = judge_loss(measured(lost(2), counted=through(60) | {"bob UdpRcvbufErrors": 2}))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.reasons[0] == "the receiver itself was overrun: bob UdpRcvbufErrors 2"


def test_overrun_receiver_does_not_hide_a_loss_on_the_way() -> None:
    counted = through(60, vif2=59) | {"bob UdpRcvbufErrors": 2}
    assert judge_loss(measured(lost(3), counted=counted)).outcome is Outcome.FAIL


@pytest.mark.parametrize("packets", [0, 59])
def test_counter_that_did_not_see_what_arrived_is_inconclusive(packets: int) -> None:
    verdict = judge_loss(measured(udp(), counted=through(packets)))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "this counter does not see the flow" in verdict.reasons[0]


def test_other_traffic_that_is_counted_at_every_hop_is_no_loss() -> None:
    assert judge_loss(measured(udp(), counted=through(75))).outcome is Outcome.PASS


def test_device_that_vanished_is_a_loss_by_its_name() -> None:
    measurement = replace(measured(lost(60)), vanished=("dom0 vif1.0",))
    verdict = judge_loss(measurement)
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons[0] == "dom0 vif1.0 vanished during the run"


@pytest.mark.parametrize(
    ("sent_bytes", "counted_bytes", "lies"),
    [
        (6840, 6000, False),
        (6840, 6840, False),
        (6840, 6001, True),
        (6840, 0, True),
        (0, 6000, True),
    ],
)
def test_end_of_a_ring_that_counts_other_bytes_lies(
    sent_bytes: int, counted_bytes: int, lies: bool
) -> None:
    """With 14 bytes of Ethernet header a packet, or without: both are customary."""
    bytes_ = {"alice eth0 tx_bytes": sent_bytes, "dom0 vif1.0 rx_bytes": counted_bytes}
    verdict = judge_loss(measured(udp(), counted=through(60) | bytes_))

    assert (verdict.outcome is Outcome.FAIL) is lies
    expected = (
        f"a counter lies: alice eth0 counts {sent_bytes} bytes of 60 packets,"
        f" and vif1.0 {counted_bytes} bytes of the same"
    )
    assert verdict.reasons == ((expected,) if lies else ())


ALICES = {"alice eth0 tx_packets": 60, "dom0 vif1.0 rx_packets": 60}
OWN = {"dom0 br-lan tx_packets": 60}


@pytest.mark.parametrize(
    ("source", "sent", "on_the_wire", "place"),
    [
        (ALICE, ALICES, 60, "between uplink and peer uplink"),
        (ALICE, ALICES, 48, "between vif1.0 and uplink"),
        (DOM0, OWN, 60, "between uplink and peer uplink"),
        (DOM0, OWN, 48, "between br-lan and uplink"),
    ],
)
def test_loss_at_a_nic_names_the_control_where_xen_may_be_to_blame(
    source: Attachment, sent: dict[str, int], on_the_wire: int, place: str
) -> None:
    counted = {**sent, "dom0 uplink tx_packets": on_the_wire, "peer uplink rx_packets": 48}
    found = deltas(source, PEER, counted)
    path = build_path(source, PEER)
    verdict = judge_loss(build_measurement(path, (lost(12),), found, mtu_bytes=1500))

    assert verdict.outcome is Outcome.FAIL
    assert f"silent loss {place}: 12 of 60 packets" in verdict.reasons
    assert (WIRE_CONTROL in verdict.reasons) is (source is ALICE)


def test_loss_between_vifs_names_no_control_of_a_wire() -> None:
    verdict = judge_loss(measured(lost(12), counted=through(60, vif2=48)))
    assert WIRE_CONTROL not in verdict.reasons


def test_sender_that_stands_still_has_lost_nothing_in_silence() -> None:
    still = udp(sent=46, received=45, intact=45, missing=15, sender_ended="blocked",
                missing_indexes=tuple(range(45, 60)))  # fmt: skip
    verdict = judge_loss(measured(still, counted=through(46)))
    assert verdict.outcome is Outcome.FAIL
    told = " ".join(verdict.reasons)
    assert "stood still, its buffer full, until its time was up: 46 of 60 datagrams sent" in told
    assert "silent" not in told
    assert verdict.reasons[-1] == STANDSTILL_CONTROL.format(node="bob")
