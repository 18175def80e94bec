"""The control of a wire: the same machine and NIC without Xen, and which losses are its own too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.lab.conftest import Xenlab
from xenlab.errors import LabError
from xenlab.lab import Lab
from xenlab.life.evidence import CLOCKS_FILE, RELEASE_FILE, NodeEvidence
from xenlab.plan.model import DOM0, UPLINK, Link
from xenlab.plan.planner import plan_lab
from xenlab.topology.loading import load_topology
from xenlab.traffic.ladder import Extent, plan_runs
from xenlab.traffic.measuring import measure_link
from xenlab.traffic.plant import MODULES, PlantKind, Site, plant_at
from xenlab.verdict.loss import NO_LOSS, WIRE_CONTROL
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.rules import judge_measurement
from xenlab.verdict.verdict import Verdict

CONTROL, WITH_XEN = "uplink-no-xen", "uplink"
SENDERS = {CONTROL: DOM0, WITH_XEN: "alice"}
LAB = "control"
SOON_S = 30.0
EVERY = 5
# Nobody's: the peer's NIC takes frames to its own address alone, and counts no other.
NOBODY = "02:00:00:00:00:99"
LOST_ON_THE_WIRE = f"silent loss between {UPLINK} and peer {UPLINK}"


@pytest.fixture(scope="module", params=[CONTROL, WITH_XEN])
def wired(xenlab: Xenlab, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """The lab without Xen, and then the one with it; never both."""
    with xenlab.bring_up(LAB, topology=request.param) as opened:
        yield opened


def link_to_peer(lab: Lab, source: str) -> Link:
    links = lab.plan.uplink_links()
    return next(link for link in links if link.source == source and lab.plan.is_peer(link.sink))


def judge_loss_to_peer(lab: Lab, source: str) -> Verdict:
    """What is said of loss between a node and the peer."""
    link = link_to_peer(lab, source)
    (specs,) = plan_runs(link, Extent.QUICK)
    verdicts = judge_measurement(measure_link(lab, link, specs))
    return next(verdict for verdict in verdicts if verdict.rule == NO_LOSS)


@contextmanager
def lossy_wire(lab: Lab) -> Iterator[None]:
    """One frame in a few is given to nobody as it leaves dom0's NIC, and no counter tells of it."""
    shell = lab.shell(DOM0)

    def run(*argv: str) -> None:
        shell.run(argv, deadline=lab.budget(SOON_S)).require_success()

    run("modprobe", "-a", *MODULES)
    run("tc", "qdisc", "add", "dev", UPLINK, "clsact")
    try:
        run(
            *("tc", "filter", "add", "dev", UPLINK, "egress", "matchall"),
            *("action", "pass", "random", "determ", "pipe", str(EVERY)),
            *("action", "pedit", "ex", "munge", "eth", "dst", "set", NOBODY),
        )
        yield
    finally:
        run("tc", "qdisc", "del", "dev", UPLINK, "clsact")


def is_control(lab: Lab) -> bool:
    return not lab.plan.xen.boot


def test_node_that_is_to_run_without_xen_is_believed_only_if_it_does(wired: Lab) -> None:
    argv = ["cat", RELEASE_FILE, CLOCKS_FILE]
    told = wired.shell(DOM0).run(argv, deadline=wired.budget(SOON_S)).require_success().text
    plan = plan_lab(load_topology(CONTROL))
    there = wired.shell(DOM0).run(
        ["test", "-e", "/sys/hypervisor/type"], deadline=wired.budget(SOON_S)
    )
    if is_control(wired):
        assert NodeEvidence.parse(plan, DOM0, told).xen == ""
        assert there.status == 1
        return
    assert there.status == 0
    with pytest.raises(LabError, match="dom0 is to run without Xen, and has Xen's clock"):
        NodeEvidence.parse(plan, DOM0, told)


def test_smoke_passes_over_the_wire(xenlab: Xenlab, wired: Lab) -> None:
    said = xenlab.succeed("test", "smoke", "--quick", "--lab", LAB)

    assert f"{SENDERS[wired.plan.topology_name]} -> peer" in said
    assert ("SKIP" in said) is is_control(wired)
    assert ("xen none" in said) is is_control(wired)


def test_loss_on_the_wire_is_told_with_xen_and_without(wired: Lab) -> None:
    with lossy_wire(wired):
        verdict = judge_loss_to_peer(wired, SENDERS[wired.plan.topology_name])

    assert verdict.outcome is Outcome.FAIL
    assert any(LOST_ON_THE_WIRE in reason for reason in verdict.reasons)
    assert (WIRE_CONTROL in verdict.reasons) is not is_control(wired)


def test_loss_in_the_part_of_xen_is_no_loss_of_what_the_control_sends(wired: Lab) -> None:
    if is_control(wired):
        assert judge_loss_to_peer(wired, DOM0).outcome is Outcome.PASS
        return
    vif = Site(device=wired.vif("alice", 0), hook="ingress")
    with plant_at(wired, vif, PlantKind.SILENT_DROP, EVERY):
        of_alice = judge_loss_to_peer(wired, "alice")
        of_dom0 = judge_loss_to_peer(wired, DOM0)

    assert of_alice.outcome is Outcome.FAIL
    assert any("silent loss between vif" in reason for reason in of_alice.reasons)
    assert WIRE_CONTROL in of_alice.reasons
    assert of_dom0.outcome is Outcome.PASS


def test_fault_that_is_planted_by_its_word_fails_the_control_too(
    xenlab: Xenlab, wired: Lab
) -> None:
    done = xenlab.run("test", "smoke", "--quick", "--lab", LAB, "--plant", "silent-drop")
    said = done.stdout.decode()

    assert done.returncode == Outcome.FAIL.exit_code
    assert ("silent loss between br-lan and uplink" in said) is is_control(wired)


def test_control_comes_back_from_its_checkpoint(xenlab: Xenlab) -> None:
    said = xenlab.succeed("test", "smoke", "--quick", "--topology", CONTROL)

    assert "origin connected checkpoint" in said
    assert "dom0 -> peer" in said


def test_suite_of_rings_is_refused_there(xenlab: Xenlab) -> None:
    done = xenlab.run("test", "slots", "--topology", CONTROL)

    assert done.returncode == 2
    assert "`uplink-no-xen` boots no Xen" in done.stderr.decode()
