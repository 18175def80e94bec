"""Joined slots: which cells must bounce, which must not, and when nothing can be told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from xenlab.measure.joining import JoinCell
from xenlab.measure.pv_memory import PvMemory
from xenlab.plan.planner import plan_lab
from xenlab.topology.loading import parse_topology
from xenlab.verdict.joining import judge_joining, skip_joining, why_no_joining
from xenlab.verdict.outcome import Outcome

# Seen on a PV dom0 of Linux 6.1 with an e1000e.
SCATTERED = JoinCell(
    source="alice", sink="peer", memory=PvMemory.SCATTERED, joining=True, translated=False,
    slots_joined=964, slots_apart=0, packets=2856, bounces=940, bounced_bytes=1_301_856, maps=3816,
    busy_ns=2_580_000_000,
)  # fmt: skip
FRESH = replace(SCATTERED, memory=PvMemory.FRESH, bounces=100, bounced_bytes=138_600)
APART = replace(FRESH, joining=False, slots_joined=0, slots_apart=964, bounces=0)
TRANSLATED = replace(SCATTERED, translated=True, bounces=0, bounced_bytes=0)


def outcomes(*cells: JoinCell) -> list[Outcome]:
    return [verdict.outcome for verdict in judge_joining(cells)]


def test_bounces_of_joined_slots_in_scattered_memory_and_nowhere_else_pass() -> None:
    verdicts = judge_joining((APART, FRESH, SCATTERED))

    assert {verdict.outcome for verdict in verdicts} == {Outcome.PASS}
    assert verdicts[2].numbers["slots_joined"] == 964
    control = (
        "alice -> peer, scattered guest, slots joined: 940 bounces of 2856 packets with 964 slots"
        " joined"
    )
    assert {verdict.control for verdict in verdicts} == {control}


def test_translated_memory_needs_no_control() -> None:
    assert outcomes(TRANSLATED, replace(APART, translated=True)) == [Outcome.PASS] * 2


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        (replace(APART, bounces=1), "whose frags are a page each, or less"),
        (replace(TRANSLATED, bounces=1), "is translated for its devices"),
        (replace(FRESH, bounces=600), "from memory in one piece"),
        (replace(APART, slots_joined=1), "1 slots were joined with join_slots=N"),
    ],
)
def test_bounces_and_joins_that_must_not_be_fail(cell: JoinCell, told: str) -> None:
    verdict = judge_joining((SCATTERED, cell))[1]

    assert verdict.outcome is Outcome.FAIL
    assert told in verdict.reasons[0]


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ((APART, FRESH), "no packet bounced where joined slots straddle"),
        ((SCATTERED, replace(FRESH, slots_joined=0)), "no slot was joined"),
        ((SCATTERED, replace(APART, slots_apart=0)), "there was nothing to join"),
        ((SCATTERED, replace(FRESH, packets=0)), "no packet left the NIC"),
        ((SCATTERED, replace(SCATTERED, bounces=0)), "none of these packets bounced"),
    ],
)
def test_nothing_is_told_without_packets_joins_or_a_control(
    cells: tuple[JoinCell, ...], told: str
) -> None:
    verdict = judge_joining(cells)[-1]

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert any(told in reason for reason in verdict.reasons)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("domus: {alice: }", "the machine has no NIC"),
        ("machine: {nic: {}}\ndomus: {alice: {vifs: []}}", "no domU is on the NIC's network"),
        ("machine: {nic: {}}\ndomus: {alice: }", ""),
    ],
)
def test_what_cannot_be_measured_is_a_skip_that_says_why(text: str, reason: str) -> None:
    plan = plan_lab(parse_topology(text.encode(), file="lab.yaml", name="lab"))

    told = why_no_joining(plan)
    assert reason in told
    assert bool(told) is bool(reason)
    assert skip_joining(plan, "why").outcome is Outcome.SKIP
