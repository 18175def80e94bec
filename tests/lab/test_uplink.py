"""The wire to the outside and the IOMMU before it: seen to work, and each check seen to fail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab.conftest import Xenlab
from tests.lab.dma import PROGRAM_DMA, render_dma_words
from xenlab.lab import Lab
from xenlab.measure.pv_memory import PvMemory
from xenlab.plan.model import DOM0, Link
from xenlab.slots.boundaries import boundary_layouts
from xenlab.slots.wire import on_a_wire
from xenlab.traffic.ballooning import scatter_memory
from xenlab.traffic.bounces import measure_bounces
from xenlab.traffic.iommu import read_iommu_evidence
from xenlab.traffic.joining import measure_joining
from xenlab.traffic.ladder import Extent, plan_runs
from xenlab.traffic.layouts import composers_loaded, send_layouts
from xenlab.traffic.measuring import measure_link
from xenlab.traffic.plant import PlantKind, plant_in_path
from xenlab.traffic.replug import (
    find_nic_way,
    find_vif_way,
    measure_nic_replug,
    measure_replug,
    measure_vif_replug,
)
from xenlab.transport.keys import SshKeys
from xenlab.verdict.bounces import judge_bounces
from xenlab.verdict.iommu import judge_iommu
from xenlab.verdict.joining import judge_joining
from xenlab.verdict.layouts import judge_layouts
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.replug import judge_replug
from xenlab.verdict.rules import judge_measurement
from xenlab.verdict.verdict import Verdict
from xenlab.waiting import Deadline, wait_until

LAB = "wired"
SOON_S = 30.0
NUMBER = 5
# Behind what is sent before a NIC is back.
LATE = 2000
STAYING_S = 120.0
# An address that no table of the IOMMU has: far above all memory of this machine.
NOWHERE = 0x10_1234_5000


@pytest.fixture(scope="module")
def wired(xenlab: Xenlab) -> Iterator[Lab]:
    """A lab with VT-d in strict mode, an e1000e and its peer."""
    with xenlab.bring_up(LAB, topology="iommu-i2") as opened:
        yield opened


def link_to_peer(lab: Lab) -> Link:
    return next(link for link in lab.plan.uplink_links() if link.source == "alice")


def judge(lab: Lab, link: Link) -> tuple[Verdict, ...]:
    (specs,) = plan_runs(link, Extent.QUICK)
    return judge_measurement(measure_link(lab, link, specs))


def test_peer_is_a_node_like_any_other(xenlab: Xenlab, wired: Lab) -> None:
    assert xenlab.succeed("exec", f"{LAB}/peer", "--", "hostname") == "peer\n"
    assert "xenlab: peer is ready" in xenlab.succeed("logs", f"{LAB}/peer")
    labs = {each["lab"]: each for each in json.loads(xenlab.succeed("status", "--json"))["labs"]}
    assert [node["name"] for node in labs[LAB]["nodes"]] == ["dom0", "alice", "peer"]
    # No Xen is below it.
    status = wired.shell("peer").run(
        ["test", "-e", "/sys/hypervisor/type"], deadline=wired.budget(SOON_S)
    )
    assert status.status == 1


def test_packets_over_the_wire_are_accounted_for(wired: Lab) -> None:
    for link in wired.plan.uplink_links():
        assert {verdict.outcome for verdict in judge(wired, link)} == {Outcome.PASS}, link


def test_loss_before_the_wire_is_told_with_its_place(wired: Lab) -> None:
    link = link_to_peer(wired)
    with plant_in_path(wired, link, PlantKind.SILENT_DROP, NUMBER):
        verdicts = judge(wired, link)
    reasons = [reason for verdict in verdicts for reason in verdict.reasons]
    assert any("silent loss between vif" in each and "and uplink" in each for each in reasons)


def test_composed_packets_reach_the_peer_and_one_that_does_not_is_told(wired: Lab) -> None:
    link = link_to_peer(wired)
    layouts = tuple(on_a_wire(boundary_layouts(), link.mtu_bytes))[:40]
    with composers_loaded(wired, link):
        whole = judge_layouts(send_layouts(wired, link, layouts, seed=NUMBER))
        with plant_in_path(wired, link, PlantKind.SILENT_DROP, NUMBER):
            lossy = judge_layouts(send_layouts(wired, link, layouts, seed=NUMBER))

    assert whole.outcome is Outcome.PASS
    assert whole.numbers["tx_zerocopy_sent"] > 0
    assert lossy.outcome is Outcome.FAIL
    assert any("and did not arrive" in reason for reason in lossy.reasons)


def test_nic_comes_back_under_traffic_and_a_loss_of_another_time_is_told(wired: Lab) -> None:
    link = link_to_peer(wired)
    assert find_nic_way(wired.plan) == link
    well = judge_replug(measure_nic_replug(wired, link))
    # At alice's vif, for the NIC takes along what is planted there.
    ends = ("alice", DOM0)
    inward = next(each for each in wired.plan.links() if (each.source, each.sink) == ends)
    with plant_in_path(wired, inward, PlantKind.SILENT_DROP, LATE):
        lossy = judge_replug(measure_nic_replug(wired, link))

    assert (well.outcome, well.reasons) == (Outcome.PASS, ())
    assert well.numbers["carried_by_the_new"] >= well.numbers["sent_afterwards"] > LATE
    assert lossy.outcome is Outcome.FAIL
    assert any("sent while NIC of dom0 was there" in reason for reason in lossy.reasons)


def test_vif_comes_back_under_traffic_and_one_that_stays_proves_nothing(wired: Lab) -> None:
    link = find_vif_way(wired.plan, wired.plan.domu("alice"))
    assert link is not None
    well = judge_replug(measure_vif_replug(wired, link))
    stayed = judge_replug(
        measure_replug(wired, link, lambda: None, "alice eth0", wired.budget(STAYING_S))
    )

    assert (well.outcome, well.reasons) == (Outcome.PASS, ())
    assert well.numbers["packets_lost"] > 0
    assert stayed.outcome is Outcome.INCONCLUSIVE
    assert stayed.reasons == (
        "nothing was lost: alice eth0 may never have been away",
        "alice eth0 is the one that it was: it was never unplugged",
    )


def test_bounces_are_told_where_there_must_be_none(wired: Lab) -> None:
    """Scattered memory that is said to be fresh, and compound pages that are said to be none."""
    scatter_memory(wired, DOM0)
    with closing(measure_bounces(wired, PvMemory.SCATTERED)) as runs:
        seen = next(runs)
    assert {verdict.outcome for verdict in judge_measurement(seen.measurement)} == {Outcome.PASS}
    fresh = replace(seen.cell, memory=PvMemory.FRESH)
    single_pages = replace(seen.cell, compound=False)

    verdicts = judge_bounces((seen.cell, fresh, single_pages))

    assert [verdict.outcome for verdict in verdicts] == [Outcome.PASS, Outcome.FAIL, Outcome.FAIL]
    assert "from fresh memory" in verdicts[1].reasons[0]


def test_slots_are_joined_and_bounces_of_scattered_memory_are_told_in_fresh(wired: Lab) -> None:
    """And netback's exchange leaves the NIC where it was: nothing is lost on the way to it."""
    runs = tuple(measure_joining(wired))
    for run in runs:
        assert {verdict.outcome for verdict in judge_measurement(run.measurement)} == {Outcome.PASS}
    cells = tuple(run.cell for run in runs)
    scattered = next(cell for cell in cells if cell.straddles)
    wrong = (replace(scattered, memory=PvMemory.FRESH), replace(scattered, translated=True))

    verdicts = judge_joining((*cells, *wrong))

    assert [verdict.outcome for verdict in verdicts] == [Outcome.PASS] * 4 + [Outcome.FAIL] * 2
    assert scattered.slots_joined > 500


def test_corruption_before_the_wire_is_seen(wired: Lab) -> None:
    link = link_to_peer(wired)
    with plant_in_path(wired, link, PlantKind.CORRUPT, 5):
        verdicts = judge(wired, link)
    assert Outcome.FAIL in {verdict.outcome for verdict in verdicts}


def test_evidence_is_that_of_the_topology(wired: Lab) -> None:
    verdict = judge_iommu(wired.plan, read_iommu_evidence(wired))
    assert verdict.outcome is Outcome.PASS
    assert "- Dom0 mode: Strict" in verdict.control


def test_lab_comes_back_from_a_checkpoint_with_its_peer(xenlab: Xenlab, wired: Lab) -> None:
    again = "again"
    try:
        told = xenlab.succeed("up", "iommu-i2", "--lab", again)
        assert "connected checkpoint" in told
        with xenlab.open(again) as opened:
            assert (
                opened.keys.private_key.read_bytes()
                == SshKeys(directory=wired.places.keys).private_key.read_bytes()
            )
            assert {each.outcome for each in judge(opened, link_to_peer(opened))} == {Outcome.PASS}
    finally:
        xenlab.succeed("down", again)


def test_dma_to_an_address_that_nobody_mapped_fails_the_test_of_that_time(
    xenlab: Xenlab, wired: Lab, tmp_path: Path
) -> None:
    """The last here: dom0's NIC has no driver afterwards."""
    suite = tmp_path / "test_dma.py"
    suite.write_text(
        "from xenlab.verdict.outcome import Outcome\n"
        "from xenlab.verdict.verdict import Verdict\n"
        f"SCRIPT = {PROGRAM_DMA!r}\n"
        f"WORDS = {render_dma_words(NOWHERE)!r}\n"
        "def test_that_programs_dma(lab, dom0, judge):\n"
        "    dom0.run_script(SCRIPT, *WORDS, deadline=lab.budget(20)).require_success()\n"
        "    judge(Verdict(rule='r', subject='s', outcome=Outcome.PASS))\n"
        "def test_that_does_not(lab, dom0, judge):\n"
        "    judge(Verdict(rule='r', subject='s', outcome=Outcome.PASS))\n"
    )
    done = xenlab.run("test", str(suite), "--lab", LAB)
    said = done.stdout.decode()
    assert done.returncode == 1, said
    (failed,) = [line for line in said.splitlines() if line.startswith("FAIL ")]
    assert "test_that_programs_dma" in failed
    assert "IOMMU fault" in said
    assert "fault addr 1012345000" in said
    wait_until(
        lambda: b"DMAR:[DMA Read]" in wired.console_bytes(DOM0) or None,
        "Xen to tell of it",
        Deadline.after(SOON_S),
    )


def test_cell_that_boots_otherwise_than_asked_is_a_lab_error(
    xenlab: Xenlab, tmp_path: Path
) -> None:
    falsified = tmp_path / "falsified.yaml"
    falsified.write_text(
        "machine: {iommu: intel}\n"
        "dom0: {iommu: strict}\n"
        "xen: {command_line: dom0-iommu=no-strict}\n"
        "domus: {alice: }\n"
    )
    done = xenlab.run("test", "iommu", "--topology", str(falsified))
    assert done.returncode == Outcome.LAB_ERROR.exit_code
    assert "asked for dom0 strict, it is relaxed" in done.stdout.decode()
