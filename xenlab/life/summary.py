"""What a lab that came up is: asked of its nodes, kept beside its record for who asks later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from xenlab.lab import Lab
from xenlab.life.evidence import NodeEvidence, read_evidence
from xenlab.plan.codec import Undecodable, decode, encode
from xenlab.plan.model import DOM0, UPLINK, DomUPlan, LabPlan, UplinkPlan
from xenlab.registry.record import LabRecord
from xenlab.report.summary import LabSummary, NodeSummary
from xenlab.waiting import Deadline

BUDGET_S = 20.0
# In a control: Xen's version, and what dom0 is then.
NO_XEN, PLAIN = "none", "no Xen"


def read_summary(lab: Lab) -> LabSummary:
    """Ask every node what it runs: an answer is the proof that it is up."""
    return summarize(lab, read_evidence(lab, Deadline.after(BUDGET_S)), 0.0)


def summarize(lab: Lab, evidence: Mapping[str, NodeEvidence], elapsed_s: float) -> LabSummary:
    """The summary of a lab whose nodes said what they run."""
    return LabSummary(
        lab=lab.record.name,
        topology=lab.record.topology,
        accelerator=lab.record.accel,
        accelerator_reason=lab.record.accel_reason,
        xen=evidence[DOM0].xen or NO_XEN,
        origin=lab.record.origin,
        level=lab.record.level,
        drivers=lab.record.drivers,
        elapsed_s=round(elapsed_s, 3),
        nodes=(
            _dom0(lab.plan, evidence[DOM0]),
            *(_domu(lab.plan, domu, evidence[domu.name]) for domu in lab.plan.domus),
            *(_peer(each, evidence[each.peer.name]) for each in lab.plan.uplinks),
        ),
    )


def _dom0(plan: LabPlan, told: NodeEvidence) -> NodeSummary:
    return NodeSummary(
        name=DOM0, kind=DOM0 if plan.xen.boot else PLAIN, kernel=told.kernel,
        build_id=told.build_id, vcpus=plan.dom0.vcpus, memory_mib=plan.dom0.memory_mib,
        devices=_bridges(plan, DOM0), state="running",
    )  # fmt: skip


def _bridges(plan: LabPlan, backend: str) -> tuple[str, ...]:
    return tuple(
        f"{network.bridge}  {network.address4}/{network.prefix4}"
        f"  {network.address6}/{network.prefix6}"
        for network in plan.networks
        if network.backend == backend
    )


def _domu(plan: LabPlan, domu: DomUPlan, told: NodeEvidence) -> NodeSummary:
    devices = tuple(
        f"{vif.device} on {vif.network}  {vif.address4}/{vif.prefix4}  {vif.address6}/{vif.prefix6}"
        for vif in domu.vifs
    )
    return NodeSummary(
        name=domu.name, kind=domu.kind.value, kernel=told.kernel, build_id=told.build_id,
        vcpus=domu.vcpus, memory_mib=domu.memory_mib,
        devices=(*devices, *_bridges(plan, domu.name)), state="running",
    )  # fmt: skip


def _peer(uplink: UplinkPlan, told: NodeEvidence) -> NodeSummary:
    peer = uplink.peer
    ends = f"{UPLINK} to the {uplink.model} on {uplink.network}"
    addresses = f"{peer.address4}/{peer.prefix4}  {peer.address6}/{peer.prefix6}"
    return NodeSummary(
        name=peer.name, kind="outside", kernel=told.kernel, build_id=told.build_id,
        vcpus=peer.vcpus, memory_mib=peer.memory_mib, devices=(f"{ends}  {addresses}",),
        state="running",
    )  # fmt: skip


def keep_summary(record: LabRecord, summary: LabSummary) -> None:
    """Keep it beside the record."""
    path = _path(record)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(encode(summary)), encoding="utf-8")
    part.rename(path)


def find_summary(record: LabRecord) -> LabSummary | None:
    """What was kept; None if that is not there or was written by another version."""
    with suppress(OSError, ValueError, Undecodable):
        return decode(LabSummary, json.loads(_path(record).read_text(encoding="utf-8")), "summary")
    return None


def _path(record: LabRecord) -> Path:
    return record.places.state / "summary.json"
