"""The proof that a lab carries traffic: the smoke suite's short form, which `up` shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from xenlab.errors import XenlabError
from xenlab.measure.negotiation import VifNegotiation
from xenlab.plan.model import DOM0, DomUPlan, Iommu, Link, VifPlan
from xenlab.traffic.consoles import judge_node_console
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.iommu import read_iommu_evidence
from xenlab.traffic.ladder import Extent, plan_runs
from xenlab.traffic.measuring import measure_link
from xenlab.verdict.console_rule import CONSOLE_CLEAN
from xenlab.verdict.iommu import IOMMU_AS_ASKED, describe_asked, judge_iommu
from xenlab.verdict.loss import NO_LOSS
from xenlab.verdict.rules import judge_measurement
from xenlab.verdict.verdict import Verdict, verdict_of_error
from xenlab.verdict.vif import NEGOTIATED, judge_negotiation, skip_negotiation
from xenlab.xen.vif import Vif, read_negotiation

NEGOTIATION_S = 10.0


Claim = tuple[str, str, Callable[[], Iterable[Verdict]]]


def prove(lab: LabHandle) -> Iterator[Verdict]:
    """Verdicts as they come: every link in one short run, every vif, every console.

    A broken lab and a missing counter become verdicts too; a bug in xenlab is raised.
    """
    for rule, subject, judge in _claims(lab):
        try:
            yield from judge()
        except XenlabError as error:
            told = verdict_of_error(rule, subject, error)
            if told is None:
                raise
            yield told


def _claims(lab: LabHandle) -> Iterator[Claim]:
    """What is claimed of this lab: a rule, a subject, and what judges it."""
    if lab.plan.machine.iommu is not Iommu.NONE:
        yield IOMMU_AS_ASKED, describe_asked(lab.plan), partial(_judge_iommu, lab)
    for link in (*lab.plan.links(), *lab.plan.uplink_links()):
        yield NO_LOSS, f"{link.source} -> {link.sink}", partial(_judge_link, lab, link)
    for domu in lab.plan.domus:
        yield NEGOTIATED, domu.name, partial(judge_vifs, lab, domu)
    for node in lab.plan.node_names:
        yield CONSOLE_CLEAN, node, partial(_judge_console, lab, node)


def _judge_iommu(lab: LabHandle) -> Iterator[Verdict]:
    yield judge_iommu(lab.plan, read_iommu_evidence(lab))


def _judge_link(lab: LabHandle, link: Link) -> Iterator[Verdict]:
    for specs in plan_runs(link, Extent.QUICK):
        yield from judge_measurement(measure_link(lab, link, specs))


def _judge_console(lab: LabHandle, node: str) -> Iterator[Verdict]:
    yield judge_node_console(lab, node)


def judge_vifs(lab: LabHandle, domu: DomUPlan) -> Iterator[Verdict]:
    """A verdict on each vif's negotiation, a SKIP for a domU that has none: only a backend.

    Raises LabError or MeasurementError.
    """
    if not domu.vifs:
        yield skip_negotiation(domu.name)
    for vif in domu.vifs:
        yield judge_vif(lab, domu, vif)


def judge_vif(lab: LabHandle, domu: DomUPlan, vif: VifPlan) -> Verdict:
    """The verdict on one vif's negotiation. Raises LabError or MeasurementError."""
    # The vif's own name is another one in a lab whose domUs were made in another order.
    return judge_negotiation(
        f"{domu.name} {vif.device}", read_both_ends(lab, domu, vif), vif.queues
    )


def read_both_ends(lab: LabHandle, domu: DomUPlan, vif: VifPlan) -> VifNegotiation:
    """What both ends of a vif have in xenstore. Raises LabError or MeasurementError."""
    backend = lab.domid(lab.plan.network(vif.network).backend)
    end = Vif(domid=lab.domid(domu.name), index=vif.index, backend_domid=backend)
    return read_negotiation(lab.shell(DOM0), end, lab.budget(NEGOTIATION_S))
