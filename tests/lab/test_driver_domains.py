"""Driver domains: packets are counted where they pass, and what happens there is told there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.conftest import Xenlab
from xenlab.lab import Lab
from xenlab.plan.model import DOM0, Link
from xenlab.traffic.ladder import Extent, plan_runs
from xenlab.traffic.measuring import measure_link
from xenlab.traffic.plant import PlantKind, plant_in_path
from xenlab.verdict.loss import NO_LOSS
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.rules import judge_measurement
from xenlab.verdict.verdict import Verdict
from xenlab.xen.vif import Vif, await_vifs

LAB = "chained"
SOON_S = 60.0
EVERY = 20


@pytest.fixture(scope="module")
def chained(xenlab: Xenlab) -> Iterator[Lab]:
    """A lab in which dom0 is the backend of nothing."""
    with xenlab.bring_up(LAB, topology="driver-domain") as opened:
        yield opened


def link_to_peer(lab: Lab) -> Link:
    links = {(link.source, link.sink): link for link in lab.plan.links()}
    return links["app", "peer"]


def judge(lab: Lab) -> tuple[Verdict, ...]:
    link = link_to_peer(lab)
    (specs,) = plan_runs(link, Extent.QUICK)
    return judge_measurement(measure_link(lab, link, specs))


def test_silent_loss_in_a_driver_domain_is_told_by_its_place(chained: Lab) -> None:
    with plant_in_path(chained, link_to_peer(chained), PlantKind.SILENT_DROP, EVERY):
        (loss,) = [verdict for verdict in judge(chained) if verdict.rule == NO_LOSS]
    before, behind = (chained.vif(name, 0) for name in ("firewall", "peer"))
    assert loss.outcome is Outcome.FAIL
    assert f"silent loss between netvm {before} and netvm {behind}" in str(loss)
    chained.restore_silence()


def test_vif_that_went_leaves_nothing_in_xenstore_and_the_next_one_works(chained: Lab) -> None:
    dom0, deadline = chained.shell(DOM0), chained.budget(SOON_S)
    end = Vif(
        domid=chained.domid("peer"), index=0, backend_domid=chained.domid("netvm")
    ).backend_path
    argv = ["xenstore-exists", end]
    assert dom0.run(argv, deadline=deadline).status == 0
    dom0.run(["xl", "network-detach", "peer", "0"], deadline=deadline).require_success()
    assert dom0.run(argv, deadline=deadline).status == 1
    dom0.run(["attach-vifs", "peer", "0"], deadline=deadline).require_success()
    chained.shell("peer").run(["connect-vifs"], deadline=deadline).require_success()
    await_vifs(chained.shell("netvm"), [chained.vif("peer", 0)], deadline)
    chained.restore_silence()
    assert {verdict.outcome for verdict in judge(chained)} == {Outcome.PASS}
