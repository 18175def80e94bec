"""The rule of modes: a domain or vif that runs otherwise than was asked for is LAB_ERROR."""

from __future__ import annotations

from dataclasses import replace

import pytest

from xenlab.errors import MeasurementError
from xenlab.measure.mode import DomainMode, ModeEvidence, VifMode, parse_created_types
from xenlab.plan.model import LabPlan
from xenlab.plan.planner import plan_lab
from xenlab.topology.loading import parse_topology
from xenlab.verdict.mode import judge_modes
from xenlab.verdict.outcome import Outcome

FOUR = VifMode(queues=4, frontend_queues=4, backend_queues=4, device_queues=4, trusted=False)

TWO = replace(FOUR, queues=2, frontend_queues=2, backend_queues=2, device_queues=2)


def plan_of(alice: str, dom0: str = "{}") -> LabPlan:
    text = f"machine: {{iommu: intel}}\ndom0: {dom0}\ndomus: {{alice: {alice}}}"
    return plan_lab(parse_topology(text.encode(), file="lab.yaml", name="lab"))


def evidence_of(
    dom0: str = "PV", alice: str = "PV", created: str = "pv", vif: VifMode = FOUR
) -> ModeEvidence:
    domains = {
        "dom0": DomainMode(guest_type=dom0),
        "alice": DomainMode(guest_type=alice, created=created),
    }
    return ModeEvidence(domains=domains, vifs={("alice", 0): vif})


ASKED = plan_of("{vifs: [{queues: 4, trusted: off}]}")


def test_what_was_asked_for_passes_with_the_words_of_those_who_know() -> None:
    verdict = judge_modes(ASKED, evidence_of())

    assert verdict.outcome is Outcome.PASS
    assert verdict.subject == "dom0 pv, alice pv (eth0: 4 queues, untrusted)"
    assert verdict.numbers == {"alice_eth0_queues": 4}
    assert verdict.control == (
        "dom0: kernel PV; alice: kernel PV, xl pv; alice eth0: 4 queues, untrusted"
    )


@pytest.mark.parametrize(
    ("plan", "evidence", "reason"),
    [
        (
            plan_of("{}", "{type: pvh}"),
            evidence_of(vif=replace(FOUR, trusted=True)),
            "asked for a dom0 of type PVH, its kernel says PV",
        ),
        (ASKED, evidence_of(alice="PVH"), "alice: asked for pv, its kernel says PVH"),
        (ASKED, evidence_of(created="pvh"), "alice: asked for pv, xl created pvh"),
        (ASKED, evidence_of(created=""), "alice: asked for pv, xl created none"),
        (
            ASKED,
            evidence_of(vif=TWO),
            "alice eth0: asked for 4 queues, it has 2",
        ),
        (
            ASKED,
            evidence_of(vif=replace(FOUR, frontend_queues=3)),
            "alice eth0: 4 queues in xenstore, 3 in the frontend, 4 in the backend, 4 of the vif",
        ),
        (
            ASKED,
            evidence_of(vif=replace(FOUR, backend_queues=0)),
            "alice eth0: 4 queues in xenstore, 4 in the frontend, 0 in the backend, 4 of the vif",
        ),
        (
            ASKED,
            evidence_of(vif=replace(FOUR, device_queues=2)),
            "alice eth0: 4 queues in xenstore, 4 in the frontend, 4 in the backend, 2 of the vif",
        ),
        (
            ASKED,
            evidence_of(vif=replace(FOUR, trusted=True)),
            "alice eth0: asked for untrusted, the frontend is trusted",
        ),
        (
            plan_of("{}"),
            evidence_of(),
            "alice eth0: asked for trusted, the frontend is untrusted",
        ),
    ],
)
def test_what_runs_otherwise_is_a_broken_lab(
    plan: LabPlan, evidence: ModeEvidence, reason: str
) -> None:
    verdict = judge_modes(plan, evidence)

    assert verdict.outcome is Outcome.LAB_ERROR
    assert verdict.reasons == (reason,)


def test_queues_that_nobody_asked_for_may_be_any_number() -> None:
    plan = plan_of("{vifs: [{trusted: off}]}")
    assert judge_modes(plan, evidence_of()).outcome is Outcome.PASS


# `xl list -l` of Xen 4.17.7, shortened.
LISTED = """
[
    {"domid": 0, "config": {"c_info": {"type": "pv", "name": "Domain-0"}, "b_info": {}}},
    {"domid": 2, "config": {
        "c_info": {"type": "pv", "name": "alice", "uuid": "0ba5071c-eb4d-11f1-bd8a-525400123456"},
        "b_info": {"max_vcpus": 1, "type.pv": {}}
    }}
]
"""


def test_types_are_those_that_xl_lists() -> None:
    assert parse_created_types(LISTED) == {"Domain-0": "pv", "alice": "pv"}


@pytest.mark.parametrize("text", ["", "[{}]", '[{"config": {}}]', '[{"config": null}]'])
def test_toolstack_that_does_not_tell_is_no_evidence(text: str) -> None:
    with pytest.raises(MeasurementError, match="does not say of what type"):
        parse_created_types(text)
