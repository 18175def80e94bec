"""The evidence of modes: of a lab as it was asked for, and held against what was not."""

from __future__ import annotations

from dataclasses import replace

from tests.lab.conftest import Xenlab
from xenlab.plan.model import Dom0Kind, DomUKind, LabPlan
from xenlab.traffic.mode import read_mode_evidence
from xenlab.verdict.mode import judge_modes
from xenlab.verdict.outcome import Outcome


def test_lab_that_is_another_than_was_asked_for_is_a_broken_one(xenlab: Xenlab, lab: str) -> None:
    with xenlab.open(lab) as opened:
        evidence = read_mode_evidence(opened)
        judged = judge_modes(opened.plan, evidence)
        false = judge_modes(ask_for_what_is_not(opened.plan), evidence)

    assert judged.outcome is Outcome.PASS, judged.reasons
    assert false.outcome is Outcome.LAB_ERROR
    assert false.reasons == (
        "asked for a dom0 of type PVH, its kernel says PV",
        "alice: asked for pvshim, xl created pv",
        "bob: asked for pvh, xl created pv",
        "bob: asked for pvh, its kernel says PV",
        "alice eth0: asked for 4 queues, it has 1",
        "bob eth0: asked for untrusted, the frontend is trusted",
    )


def ask_for_what_is_not(plan: LabPlan) -> LabPlan:
    alice, bob = plan.domus
    return replace(
        plan,
        dom0=replace(plan.dom0, kind=Dom0Kind.PVH),
        domus=(
            replace(alice, kind=DomUKind.PVSHIM, vifs=(replace(alice.vifs[0], queues=4),)),
            replace(bob, kind=DomUKind.PVH, vifs=(replace(bob.vifs[0], trusted=False),)),
        ),
    )
