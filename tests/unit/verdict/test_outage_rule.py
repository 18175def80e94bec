"""The rule of an outage: each way in which a loss is none of a backend's that was away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from xenlab.measure.flow import FlowSpec, Transport, UdpFlow
from xenlab.measure.hops import Drop
from xenlab.measure.interrupted_stream import InterruptedStream
from xenlab.measure.outage import Outage
from xenlab.measure.path import DropCounter
from xenlab.plan.planner import plan_lab
from xenlab.topology.loading import load_topology
from xenlab.traffic.outage import find_outage
from xenlab.verdict.outage import judge_outage, skip_without_driver_domain
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

NO_ROUTE = DropCounter(node="firewall", counter="IpExtInNoRoutes")
# 1000 datagrams, of which the source's kernel refused 2. 200 arrived by the old way; 300 are lost:
# 150 with netvm, 140 in a router without a way, 10 on their return.
MISSING = tuple(range(200, 502))
SPEC = FlowSpec(
    transport=Transport.UDP, address="10.77.2.11", port=20010, seed=1, sizes_bytes=(200,) * 1000
)
FLOW = UdpFlow(
    spec=SPEC, sent=998, errors=(("ENETUNREACH", 2),), received=698, intact=698, corrupt=0,
    truncated=0, missing=302, duplicates=0, foreign=0, reordered=0, missing_indexes=MISSING,
    damages=(), ended="idle", sender_ended="complete",
)  # fmt: skip
GOOD = Outage(
    subject="app -> peer while netvm is killed", backend="netvm",
    stream=InterruptedStream(flow=FLOW, arrived_before=198, sent_until_back=505), sent=998,
    entered=998, refused=(Drop(place=NO_ROUTE, packets=140),), forwarded=858, sent_anew=508,
    received_anew=508, passed_anew=498, reached_anew=498, arrived=698,
)  # fmt: skip


def judge(**changes: object) -> Verdict:
    return judge_outage(replace(GOOD, **changes))  # type: ignore[arg-type]


def stream(**changes: object) -> InterruptedStream:
    return replace(GOOD.stream, **changes)  # type: ignore[arg-type]


def flow(**changes: object) -> InterruptedStream:
    return stream(flow=replace(FLOW, **changes))  # type: ignore[arg-type]


def test_losses_of_the_time_without_a_backend_pass_with_their_places() -> None:
    verdict = judge()
    assert verdict.outcome is Outcome.PASS
    assert verdict.reasons == ()
    assert verdict.numbers["packets_lost"] == 300
    assert [
        verdict.numbers[name]
        for name in ("refused_by_the_router", "lost_with_the_backend", "lost_while_it_returned")
    ] == [140, 150, 10]
    assert verdict.numbers["sent_afterwards"] == 493


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (
            lambda: judge(stream=stream(arrived_before=201)),
            "1 datagrams are missing that were sent while netvm was there (first: 200)",
        ),
        (
            lambda: judge(stream=stream(sent_until_back=498)),
            "2 datagrams are missing that were sent while netvm was there (first: 500, 501)",
        ),
        (lambda: judge(entered=997), "silent loss before the router: 1 packets"),
        (lambda: judge(refused=()), "silent loss in the router: 140 packets"),
        (lambda: judge(forwarded=857), "silent loss in the router: 1 packets"),
        (lambda: judge(sent_anew=700, received_anew=700), "silent loss in netvm: -42 packets"),
        (lambda: judge(received_anew=509), "silent loss behind it: -1 packets"),
        (
            lambda: judge(stream=flow(missing=303, missing_indexes=(*MISSING, 502), intact=697)),
            "301 datagrams are missing, and the counters say 300",
        ),
        (
            lambda: judge(stream=flow(corrupt=1, duplicates=2)),
            "1 datagrams came damaged, 2 twice, 0 behind a later one",
        ),
    ],
)
def test_every_other_loss_fails_by_its_place(spoil: Callable[[], Verdict], reason: str) -> None:
    verdict = spoil()
    assert verdict.outcome is Outcome.FAIL
    assert reason in verdict.reasons


def test_nothing_is_proved_without_a_loss_or_without_a_time_afterwards() -> None:
    whole = flow(errors=(), sent=1000, received=1000, intact=1000, missing=0, missing_indexes=())
    nothing = judge(
        stream=whole, sent=1000, entered=1000, refused=(), forwarded=1000, arrived=1000,
        passed_anew=508, reached_anew=508,
    )  # fmt: skip
    assert nothing.outcome is Outcome.INCONCLUSIVE
    assert nothing.reasons == ("nothing was lost: netvm may never have been away",)
    late = judge(stream=stream(sent_until_back=930))
    assert late.outcome is Outcome.INCONCLUSIVE
    assert late.reasons == ("only 68 datagrams were sent after netvm was back",)
    unnamed = judge(stream=flow(missing_indexes=MISSING[:128]))
    assert unnamed.outcome is Outcome.INCONCLUSIVE


def test_backend_to_kill_is_behind_a_router_and_not_the_router() -> None:
    found = find_outage(plan_lab(load_topology("driver-domain")))
    assert found is not None
    assert (found[0].source, found[0].sink, found[1]) == ("app", "peer", "netvm")
    for name in ("pair", "routed"):
        plan = plan_lab(load_topology(name))
        assert find_outage(plan) is None
        assert skip_without_driver_domain(plan).outcome is Outcome.SKIP
