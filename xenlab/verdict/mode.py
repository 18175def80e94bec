"""The rule of modes: how domains and vifs really run is how the topology asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from xenlab.measure.mode import ModeEvidence, VifMode
from xenlab.plan.model import DOM0, Dom0Kind, DomUKind, LabPlan, VifPlan
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

MODES_AS_ASKED = "modes as asked"
# What xl has created and what the kernel in it says that it is.
DOMU_TYPES: Mapping[DomUKind, tuple[str, str]] = {
    DomUKind.PV: ("pv", "PV"),
    DomUKind.PVH: ("pvh", "PVH"),
    DomUKind.HVM: ("hvm", "HVM"),
    DomUKind.PVSHIM: ("pvh", "PV"),
}
DOM0_TYPES: Mapping[Dom0Kind, str] = {Dom0Kind.PV: "PV", Dom0Kind.PVH: "PVH"}


def judge_modes(plan: LabPlan, evidence: ModeEvidence) -> Verdict:
    """LAB_ERROR where they differ: whatever else such a lab measures is of another mode."""
    differences = (*_find_wrong_domains(plan, evidence), *_find_wrong_vifs(plan, evidence))
    return Verdict(
        rule=MODES_AS_ASKED,
        subject=describe_modes(plan),
        outcome=Outcome.LAB_ERROR if differences else Outcome.PASS,
        reasons=differences,
        numbers={
            f"{domu}_eth{index}_queues": vif.queues for (domu, index), vif in evidence.vifs.items()
        },
        control="; ".join(_say(evidence)),
    )


def describe_modes(plan: LabPlan) -> str:
    """What the plan asks of domains and vifs, in a few words."""
    domus = ", ".join(
        " ".join((domu.name, domu.kind, *filter(None, map(_describe_vif, domu.vifs))))
        for domu in plan.domus
    )
    return f"{DOM0} {plan.dom0.kind}, {domus}"


def _describe_vif(vif: VifPlan) -> str:
    words = [f"{vif.queues} queues"] if vif.queues else []
    words += [] if vif.trusted else ["untrusted"]
    return f"({vif.device}: {', '.join(words)})" if words else ""


def _find_wrong_domains(plan: LabPlan, evidence: ModeEvidence) -> Iterator[str]:
    asked = DOM0_TYPES[plan.dom0.kind]
    dom0 = evidence.domains[DOM0]
    if dom0.guest_type != asked:
        yield f"asked for a dom0 of type {asked}, its kernel says {dom0.guest_type}"
    for domu in plan.domus:
        created, guest_type = DOMU_TYPES[domu.kind]
        told = evidence.domains[domu.name]
        if told.created != created:
            yield f"{domu.name}: asked for {domu.kind}, xl created {told.created or 'none'}"
        if told.guest_type != guest_type:
            yield f"{domu.name}: asked for {domu.kind}, its kernel says {told.guest_type}"


def _find_wrong_vifs(plan: LabPlan, evidence: ModeEvidence) -> Iterator[str]:
    for domu in plan.domus:
        for vif in domu.vifs:
            for difference in _differences(vif, evidence.vifs[domu.name, vif.index]):
                yield f"{domu.name} {vif.device}: {difference}"


def _differences(asked: VifPlan, told: VifMode) -> Iterator[str]:
    if asked.queues is not None and asked.queues != told.queues:
        yield f"asked for {asked.queues} queues, it has {told.queues}"
    if not told.queues == told.frontend_queues == told.backend_queues == told.device_queues:
        yield (
            f"{told.queues} queues in xenstore, {told.frontend_queues} in the frontend,"
            f" {told.backend_queues} in the backend, {told.device_queues} of the vif"
        )
    if asked.trusted is not told.trusted:
        wanted, found = (_say_trust(trusted=each.trusted) for each in (asked, told))
        yield f"asked for {wanted}, the frontend is {found}"


def _say_trust(*, trusted: bool) -> str:
    return "trusted" if trusted else "untrusted"


def _say(evidence: ModeEvidence) -> Iterator[str]:
    for name, domain in evidence.domains.items():
        created = f", xl {domain.created}" if name != DOM0 else ""
        yield f"{name}: kernel {domain.guest_type}{created}"
    for (domu, index), vif in evidence.vifs.items():
        yield f"{domu} eth{index}: {vif.queues} queues, {_say_trust(trusted=vif.trusted)}"
