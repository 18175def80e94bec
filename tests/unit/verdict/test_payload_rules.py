"""Each rule of payload, seen to pass, to fail and to be inconclusive."""

from __future__ import annotations

from tests.unit.measure.accounts import ALICE, DOM0, deltas_along, through
from tests.unit.verdict.measurements import lost, measured, tcp, udp
from xenlab.measure.flow import Damage, DamageKind, UdpFlow
from xenlab.measure.measurement import build_measurement
from xenlab.measure.path import build_path
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.payload import judge_duplicates, judge_intact, judge_order
from xenlab.verdict.rules import judge_measurement
from xenlab.verdict.verdict import Verdict

FLIPPED = Damage(
    kind=DamageKind.CORRUPT,
    index=9,
    expected_bytes=1000,
    got_bytes=1000,
    first_bad_offset=72,
    bad_bytes=1,
)
CUT = Damage(
    kind=DamageKind.TRUNCATED,
    index=3,
    expected_bytes=1000,
    got_bytes=900,
    first_bad_offset=900,
    bad_bytes=0,
)


def test_flow_that_is_all_right_passes_every_rule() -> None:
    verdicts = judge_measurement(measured(udp(), tcp()))
    assert [verdict.outcome for verdict in verdicts] == [Outcome.PASS] * 4
    assert all(verdict.control for verdict in verdicts)


def test_damaged_segment_that_tcp_has_sent_again_is_damage_all_the_same() -> None:
    """In both directions: what carried data, and what only acknowledged it."""
    for node in ("alice", "bob"):
        counted = through(60) | {f"{node} TcpInCsumErrors": 1, f"{node} TcpInErrs": 1}
        verdict = judge_intact(measured(tcp(), counted=counted))
        assert verdict.outcome is Outcome.FAIL
        assert verdict.reasons == (f"damaged packets came: {node} TcpInCsumErrors 1",)


def test_packet_too_many_that_every_hop_counts_is_found_at_the_source() -> None:
    """A fragment that comes twice is thrown away without a word by whoever joins them."""
    verdict = judge_duplicates(measured(udp(), counted=through(61)))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == ("alice eth0 sent 1 packets more than its datagrams make",)


def test_segments_on_the_way_are_none_too_many_and_all_else_is() -> None:
    """dom0 makes two packets of one for bob's vif; on a ring nothing may become two."""
    segmented = through(60) | {"dom0 vif2.0 tx_packets": 120, "bob eth0 rx_packets": 120}
    on_a_ring = segmented | {"bob eth0 rx_packets": 121}
    again = udp(duplicates=1)

    def judged(counted: dict[str, int], *flows: UdpFlow, segmented: bool = True) -> Verdict:
        return judge_duplicates(measured(*flows, counted=counted), segmented=segmented)

    assert judged(segmented, udp()).outcome is Outcome.PASS
    assert judged(segmented, udp(), segmented=False).outcome is Outcome.FAIL
    assert judged(on_a_ring, udp()).reasons == ("1 packets more at bob eth0 than at vif2.0 (120)",)
    assert "1 datagrams came twice" in judged(segmented, again).reasons[0]


def test_segments_of_what_dom0_itself_sends_are_none_too_many() -> None:
    path = build_path(DOM0, ALICE)
    along = {"dom0 br-lan tx_packets": 60, "dom0 vif1.0 tx_packets": 120}

    def judged(arrived: int) -> Verdict:
        found = deltas_along(path, along | {"alice eth0 rx_packets": arrived})
        return judge_duplicates(
            build_measurement(path, (tcp(),), found, mtu_bytes=1500), segmented=True
        )

    assert judged(120).outcome is Outcome.PASS
    assert judged(121).reasons == ("1 packets more at alice eth0 than at vif1.0 (120)",)


def test_what_is_segmented_has_the_rules_of_all_others() -> None:
    rules = [[verdict.rule for verdict in judge_measurement(measured(udp(), tcp()), segmented=each)]
             for each in (False, True)]  # fmt: skip
    assert rules[0] == rules[1]


def test_order_is_no_rule_of_its_own_for_a_stream() -> None:
    rules = [verdict.rule for verdict in judge_measurement(measured(tcp()))]
    assert rules == ["payload intact", "no loss", "no duplicates"]


def test_corrupt_datagram_fails_with_its_index_and_offset() -> None:
    verdict = judge_intact(measured(udp(intact=59, corrupt=1, damages=(FLIPPED,))))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == (
        (
            "udp4: 1 of 60 datagrams came damaged:"
            " datagram 9 of 1000 bytes has 1 bad, the first at offset 72"
        ),
    )
    assert verdict.numbers["corrupt"] == 1


def test_truncated_datagram_fails_with_its_lengths() -> None:
    verdict = judge_intact(measured(udp(intact=59, truncated=1, damages=(CUT,))))
    assert verdict.outcome is Outcome.FAIL
    assert "datagram 3 came with 900 of 1000 bytes" in verdict.reasons[0]


def test_datagram_that_nobody_sent_fails() -> None:
    verdict = judge_intact(measured(udp(received=61, foreign=1)))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == ("udp4: 1 datagrams came that nobody sent",)


def test_bad_byte_in_a_stream_fails_with_its_offset() -> None:
    verdict = judge_intact(measured(tcp(bad_bytes=2, first_bad_offset=4711)))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == ("tcp4: 2 bad bytes in the stream, the first at offset 4711",)


def test_payload_that_never_came_is_inconclusive_to_the_rule_of_payload() -> None:
    verdict = judge_intact(measured(lost(60), tcp(received_bytes=0)))
    assert verdict.outcome is Outcome.INCONCLUSIVE


def test_datagram_that_came_twice_fails() -> None:
    verdict = judge_duplicates(measured(udp(received=62, duplicates=2)))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == ("udp4: 2 datagrams came twice",)


def test_packet_that_came_twice_fails_where_it_did_though_tcp_hides_it() -> None:
    verdict = judge_duplicates(measured(tcp(), counted=through(60, vif2=63)))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == ("3 packets more at vif2.0 than at vif1.0 (60)",)


def test_no_packet_at_the_sink_says_nothing_of_duplicates() -> None:
    verdict = judge_duplicates(measured(lost(60), counted=through(60, vif2=0)))
    assert verdict.outcome is Outcome.INCONCLUSIVE


def test_datagram_behind_a_later_one_fails() -> None:
    verdict = judge_order(measured(udp(reordered=4)))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == ("udp4: 4 of 60 datagrams came after a later one",)


def test_order_of_one_datagram_is_inconclusive() -> None:
    assert judge_order(measured(lost(59))).outcome is Outcome.INCONCLUSIVE
    assert judge_order(measured(lost(58))).outcome is Outcome.PASS
