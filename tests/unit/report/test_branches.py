"""Branches of a flow picture: each loss at its place, in its unit, and silent only where it is."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.measure.accounts import through
from tests.unit.verdict.measurements import DATAGRAMS, lost, measured, tcp, udp
from xenlab.measure.flow_account import FlowAccount, account_flows
from xenlab.measure.flow_sum import sum_accounts
from xenlab.report.branches import find_branches


def say_losses(*accounts: FlowAccount) -> tuple[str, ...]:
    return tuple(branch.words for branch in find_branches(*accounts))


def silent_at(account: FlowAccount) -> list[int]:
    return [branch.stop for branch in find_branches(account) if branch.silent]


def test_stream_that_stands_still_is_told_in_bytes_and_not_as_lost_packets() -> None:
    still = tcp(received_bytes=17, sender_ended="timeout", receiver_ended="timeout")
    account = account_flows(measured(still))[0]

    assert say_losses(account) == ("99\u202f983 bytes of a stream did not arrive",)
    assert not silent_at(account)


def test_datagrams_and_bytes_of_a_stream_are_not_added() -> None:
    account = account_flows(measured(lost(3), tcp(received_bytes=99_999)))[0]

    assert say_losses(account) == (
        "3 lost silently behind the last device",
        "1 byte of a stream lost silently",
    )


def test_stream_is_told_where_a_hop_lost_packets_too() -> None:
    counted = through(DATAGRAMS, vif2=DATAGRAMS - 2)
    account = account_flows(measured(tcp(received_bytes=0), counted=counted))[0]

    assert say_losses(account) == (
        "2 lost silently between vif1.0 and vif2.0",
        "100\u202f000 bytes of a stream did not arrive",
    )


def test_stream_of_which_nobody_knows_where_it_ended_is_lost_silently() -> None:
    account = account_flows(measured(tcp(received_bytes=0)))[0]

    assert say_losses(account) == ("100\u202f000 bytes of a stream lost silently",)
    assert silent_at(account) == [4]


def test_what_a_sender_that_stood_still_did_not_send_is_no_silent_loss() -> None:
    still = udp(sent=46, received=46, intact=46, missing=14, sender_ended="blocked")
    account = account_flows(measured(still, counted=through(46)))[0]

    assert say_losses(account) == ("14 never left and the sender knows",)
    assert not silent_at(account)


def test_same_loss_is_silent_where_the_sender_was_told_nothing() -> None:
    account = account_flows(measured(lost(14), counted=through(46)))[0]

    assert say_losses(account) == ("14 lost silently before the device",)


def test_datagrams_that_a_sender_beside_a_stream_kept_are_not_lost_behind_the_last_device() -> None:
    refused = replace(lost(14), sent=46, errors=(("ENOBUFS", 14),))
    account = account_flows(measured(refused, tcp()))[0]

    assert account.wire_packets == 0
    assert say_losses(account) == ()


def test_what_was_lost_where_a_device_vanished_is_not_lost_silently_behind_the_last() -> None:
    account = replace(account_flows(measured(lost(14)))[0], vanished=("alice eth0",))

    assert say_losses(account) == ()


def test_packet_lost_at_a_hop_of_one_flow_hides_no_loss_behind_the_last_device_of_another() -> None:
    at_hop = account_flows(measured(lost(1), counted=through(DATAGRAMS, vif2=DATAGRAMS - 1)))[0]
    at_sink = account_flows(measured(lost(50)))[0]

    assert (
        say_losses(at_sink, at_hop)
        == say_losses(at_hop, at_sink)
        == (
            "1 lost silently between vif1.0 and vif2.0",
            "50 lost silently behind the last device",
        )
    )
    assert say_losses(at_sink, at_sink) == ("100 lost silently behind the last device",)


def test_packets_that_one_flow_sent_too_many_hide_none_that_another_lost_before_its_device() -> (
    None
):
    fewer = account_flows(measured(lost(3), counted=through(DATAGRAMS - 3)))[0]
    more = account_flows(measured(udp(), counted=through(DATAGRAMS + 3)))[0]
    whole = sum_accounts("all", [fewer, more])

    assert say_losses(fewer, more) == ("3 lost silently before the device",)
    assert whole.lost_before == 3
    assert whole.wire_packets == whole.packets_in + 3


def test_of_what_is_missing_a_lost_packet_explains_one_datagram_and_not_the_others() -> None:
    account = account_flows(measured(lost(20), counted=through(DATAGRAMS, vif2=DATAGRAMS - 1)))[0]

    assert say_losses(account) == (
        "1 lost silently between vif1.0 and vif2.0",
        "19 lost silently behind the last device",
    )


def test_drop_at_the_sink_is_told_beside_one_of_a_hop_but_no_sum_and_no_incomplete_one() -> None:
    drops = {"bob UdpInErrors": 5, "bob UdpRcvbufErrors": 5, "bob IpReasmFails": 2}
    counted = through(DATAGRAMS, vif2=DATAGRAMS - 2) | drops
    account = account_flows(measured(lost(7), counted=counted))[0]

    assert say_losses(account) == (
        "2 lost silently between vif1.0 and vif2.0",
        "5 dropped at bob UdpRcvbufErrors",
    )


def test_datagrams_that_never_were_whole_at_the_sink_are_told_where_nothing_was_lost_before() -> (
    None
):
    counted = through(DATAGRAMS) | {"bob IpReasmFails": 2}
    account = account_flows(measured(lost(2), counted=counted))[0]

    assert say_losses(account) == ("2 dropped at bob IpReasmFails",)
