"""The rule of shapes: bounds that are broken, and bounds that nothing could have broken."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.measure.accounts import through
from tests.unit.verdict.measurements import measured, udp
from xenlab.measure.shapes import IPV4, Form, Quantity, Shapes, Spot, Stage
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.shapes import (
    Claim,
    judge_claims,
    judge_limit,
    judge_refused,
    judge_segmented,
)

SPOT = Spot(node="alice", device="eth0", stage=Stage.SENT)
CLAIM = Claim(spot=SPOT, quantity=Quantity.GSO_LENGTH, most=4096)


def seen(*lengths_bytes: int) -> dict[Spot, Shapes]:
    forms = (
        Form(packets=1, length_bytes=length, gso_size_bytes=1448, protocol=IPV4)
        for length in lengths_bytes
    )
    return {SPOT: Shapes(forms=tuple(forms))}


def test_bound_that_holds_and_did_not_without_the_setting_passes() -> None:
    verdict = judge_claims("limit", [CLAIM], seen(2962, 4096), seen(65226))

    assert verdict.outcome is Outcome.PASS
    assert "without the setting alice eth0 (sent): the longest GSO packet in bytes: 65226" in (
        verdict.control
    )


def test_packet_beyond_the_bound_fails_with_its_length() -> None:
    verdict = judge_claims("limit", [CLAIM], seen(2962, 4097), seen(65226))

    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == (
        "alice eth0 (sent): the longest GSO packet in bytes: 4097, not at most 4096",
    )


def test_too_little_fails_as_too_much_does() -> None:
    exact = replace(CLAIM, quantity=Quantity.LENGTH, least=1514, most=1514, controlled=False)

    assert judge_claims("mtu", [exact], seen(1514), None).outcome is Outcome.PASS
    assert judge_claims("mtu", [exact], seen(1513), None).outcome is Outcome.FAIL
    assert judge_claims("mtu", [exact], seen(1515), None).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("claims", "sight", "without", "doubt"),
    [
        ([CLAIM], {SPOT: Shapes()}, seen(65226), "no packet was seen"),
        ([CLAIM], seen(2962), seen(4096), "without the setting too"),
        ([CLAIM], seen(2962), None, "no run without the setting"),
        ([], seen(2962), seen(65226), "nothing was claimed"),
    ],
)
def test_bound_that_nothing_could_have_broken_proves_nothing(
    claims: list[Claim],
    sight: dict[Spot, Shapes],
    without: dict[Spot, Shapes] | None,
    doubt: str,
) -> None:
    verdict = judge_claims("limit", claims, sight, without)

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert doubt in verdict.reasons[0]


def test_refusal_is_a_skip_with_its_reason() -> None:
    verdict = judge_refused("sg off", ["alice: eth0 has tx-checksum-ipv4 on"])

    assert verdict.outcome is Outcome.SKIP
    assert verdict.reasons == ("alice: eth0 has tx-checksum-ipv4 on",)


def test_device_that_takes_more_than_it_may_fails() -> None:
    assert judge_limit("mtu 65536", ["too large"]).outcome is Outcome.PASS
    assert judge_limit("mtu 65536", []).outcome is Outcome.FAIL


@pytest.mark.parametrize("off", [-1, 1])
def test_packet_more_or_less_than_the_segments_fails(off: int) -> None:
    measurement = measured(udp())
    sent_on = measurement.forward.hops[-1].packets_in

    verdict = judge_segmented("tso off", measurement, sent_on + off)

    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == (
        f"{sent_on} packets went on to the sink, and {sent_on + off} are their segments",
    )


def test_as_many_packets_as_segments_pass_where_there_were_fewer_before() -> None:
    counted = through(60) | {"dom0 vif2.0 tx_packets": 90, "bob eth0 rx_packets": 90}

    verdict = judge_segmented("tso off", measured(udp(), counted=counted), 90)

    assert verdict.outcome is Outcome.PASS
    assert verdict.numbers == {"taken": 60, "segments": 90, "sent_on": 90}


def test_nothing_segmented_proves_nothing() -> None:
    measurement = measured(udp())
    sent_on = measurement.forward.hops[-1].packets_in

    assert judge_segmented("tso off", measurement, sent_on).outcome is Outcome.INCONCLUSIVE
