"""Bounces: which cells must have them, which must not, and when nothing can be told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from xenlab.measure.bounces import BounceCell
from xenlab.measure.pv_memory import PvMemory
from xenlab.plan.model import LabPlan
from xenlab.plan.planner import plan_lab
from xenlab.topology.loading import parse_topology
from xenlab.verdict.bounces import judge_bounces, skip_bounces, why_no_bounces
from xenlab.verdict.outcome import Outcome

# Seen on a PV dom0 of Linux 6.1 with an e1000e.
SCATTERED = BounceCell(
    source="dom0", sink="peer", memory=PvMemory.SCATTERED, compound=True, forwarded=False,
    packets=2856, bounces=631, bounced_bytes=906044, maps=0, busy_ns=300_000_000,
)  # fmt: skip
FRESH = replace(SCATTERED, memory=PvMemory.FRESH, bounces=0, bounced_bytes=0)
SINGLE_PAGES = replace(SCATTERED, compound=False, bounces=0, bounced_bytes=0)
FORWARDED = replace(SCATTERED, source="alice", forwarded=True, bounces=0, bounced_bytes=0)


def plan_of(text: str) -> LabPlan:
    whole = f"{text}\ndomus: {{alice: }}"
    return plan_lab(parse_topology(whole.encode(), file="lab.yaml", name="lab"))


def outcomes(*cells: BounceCell) -> list[Outcome]:
    return [verdict.outcome for verdict in judge_bounces(cells)]


def test_bounces_where_pages_straddle_and_nowhere_else_pass() -> None:
    verdicts = judge_bounces((FRESH, SCATTERED, SINGLE_PAGES, FORWARDED))

    assert {verdict.outcome for verdict in verdicts} == {Outcome.PASS}
    assert verdicts[1].numbers == {
        "packets": 2856, "bounces": 631, "bounced_bytes": 906044, "bounces_per_thousand": 221,
        "grant_maps": 0,
    }  # fmt: skip
    control = (
        "dom0 -> peer, scattered dom0, with compound pages: 631 bounces of 2856 packets,"
        " 221 of a thousand"
    )
    assert {verdict.control for verdict in verdicts} == {control}


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        (SINGLE_PAGES, "that hold no compound page"),
        (FORWARDED, "that hold pages of a guest, none of which straddles"),
    ],
)
def test_a_single_bounce_of_packets_that_do_not_straddle_fails(cell: BounceCell, told: str) -> None:
    wrong = replace(cell, bounces=1, bounced_bytes=60)

    verdict = judge_bounces((SCATTERED, wrong))[1]

    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == (f"1 bounces of 2856 packets {told}",)


def test_fresh_memory_may_bounce_where_two_pieces_of_it_meet() -> None:
    assert outcomes(SCATTERED, replace(FRESH, bounces=3))[1] is Outcome.PASS


def test_fresh_memory_that_bounces_like_scattered_fails() -> None:
    verdict = judge_bounces((SCATTERED, replace(FRESH, bounces=600)))[1]

    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == ("600 bounces of 2856 packets from fresh memory, 210 of a thousand",)


def test_without_a_cell_that_bounced_nothing_can_be_told() -> None:
    silent = replace(SCATTERED, bounces=0, bounced_bytes=0)

    assert set(outcomes(FRESH, SINGLE_PAGES, FORWARDED)) == {Outcome.INCONCLUSIVE}
    assert set(outcomes(FRESH, silent, SINGLE_PAGES)) == {Outcome.INCONCLUSIVE}


def test_cell_without_packets_can_not_be_told() -> None:
    assert outcomes(SCATTERED, replace(FRESH, packets=0))[1] is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("topology", "told"),
    [
        ("", "no NIC to the outside"),
        (
            "machine: {iommu: intel, nic: {}}\ndom0: {type: pvh}",
            "only the memory of a PV dom0",
        ),
        (
            "machine: {iommu: intel, nic: {}}\nnetworks: {lan: {backend: alice}}",
            "the NIC is alice's",
        ),
    ],
)
def test_labs_without_anything_to_bounce_are_skipped(topology: str, told: str) -> None:
    plan = plan_of(topology)
    reason = why_no_bounces(plan)

    assert told in reason
    assert skip_bounces(plan, reason).outcome is Outcome.SKIP


def test_pv_dom0_with_a_nic_is_measured() -> None:
    assert why_no_bounces(plan_of("machine: {nic: {}}")) == ""
