"""The rule of a replug: each way in which a loss is none of a device's that was unplugged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from xenlab.measure.flow import FlowSpec, Transport, UdpFlow
from xenlab.measure.interrupted_stream import InterruptedStream
from xenlab.measure.replug import Replug
from xenlab.plan.planner import plan_lab
from xenlab.topology.loading import load_topology
from xenlab.traffic.replug import find_nic_way, find_vif_way
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.replug import judge_replug, skip_without_replug
from xenlab.verdict.verdict import Verdict

# 1000 datagrams, of which 60 to 79 are lost. The new device carried 919, and 1 of them too early.
MISSING = tuple(range(60, 80))
SPEC = FlowSpec(
    transport=Transport.UDP, address="10.77.1.11", port=20010, seed=1, sizes_bytes=(200,) * 1000
)
FLOW = UdpFlow(
    spec=SPEC, sent=1000, errors=(), received=980, intact=980, corrupt=0, truncated=0, missing=20,
    duplicates=0, foreign=0, reordered=0, missing_indexes=MISSING, damages=(), ended="idle",
    sender_ended="complete",
)  # fmt: skip
GOOD = Replug(
    subject="alice -> bob while bob eth0 is unplugged", device="bob eth0",
    stream=InterruptedStream(flow=FLOW, arrived_before=58, sent_until_back=82), sent=1000,
    entered=1000, carried_anew=919, arrived=980, is_another=True,
)  # fmt: skip


def judge(**changes: object) -> Verdict:
    return judge_replug(replace(GOOD, **changes))  # type: ignore[arg-type]


def stream(**changes: object) -> InterruptedStream:
    return replace(GOOD.stream, **changes)  # type: ignore[arg-type]


def test_losses_of_the_time_without_a_device_pass() -> None:
    verdict = judge()
    assert (verdict.outcome, verdict.reasons) == (Outcome.PASS, ())
    assert verdict.numbers["packets_lost"] == 20
    assert verdict.control == "20 packets were lost, so bob eth0 was away"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (
            lambda: judge(stream=stream(sent_until_back=79)),
            "1 datagrams are missing that were sent while bob eth0 was there (first: 79)",
        ),
        (
            lambda: judge(stream=stream(arrived_before=61)),
            "1 datagrams are missing that were sent while bob eth0 was there (first: 60)",
        ),
        (lambda: judge(entered=999), "silent loss before the backend: 1 packets"),
        (lambda: judge(carried_anew=900), "silent loss before the new bob eth0: 18 packets"),
        (lambda: judge(arrived=979), "20 datagrams are missing, and the counters say 21"),
        (
            lambda: judge(stream=stream(flow=replace(FLOW, duplicates=1))),
            "0 datagrams came damaged, 1 twice, 0 behind a later one",
        ),
        (
            lambda: judge(stream=stream(flow=replace(FLOW, reordered=5))),
            "0 datagrams came damaged, 0 twice, 5 behind a later one",
        ),
    ],
)
def test_every_other_loss_fails(spoil: Callable[[], Verdict], reason: str) -> None:
    verdict = spoil()
    assert verdict.outcome is Outcome.FAIL
    assert reason in verdict.reasons


def test_device_that_never_went_proves_nothing() -> None:
    whole = replace(FLOW, received=1000, intact=1000, missing=0, missing_indexes=())
    verdict = judge(stream=stream(flow=whole), arrived=1000)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.reasons == ("nothing was lost: bob eth0 may never have been away",)
    same = judge(is_another=False)
    assert same.outcome is Outcome.INCONCLUSIVE
    assert same.reasons == ("bob eth0 is the one that it was: it was never unplugged",)


def test_ways_are_from_guest_to_guest_and_over_the_wire() -> None:
    pair, wired = plan_lab(load_topology("pair")), plan_lab(load_topology("uplink"))
    to_bob = find_vif_way(pair, pair.domu("bob"))
    assert to_bob is not None
    assert (to_bob.source, to_bob.sink) == ("alice", "bob")
    assert find_nic_way(pair) is None
    single = plan_lab(load_topology("single"))
    assert find_vif_way(single, single.domus[0]) is None
    over = find_nic_way(wired)
    assert over is not None
    assert (over.source, over.sink) == ("alice", "peer")
    assert skip_without_replug(pair, "no NIC").outcome is Outcome.SKIP
