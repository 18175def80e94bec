"""A NIC in a driver domain: it is where it was asked to be, and what happens to packets is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.conftest import Xenlab
from tests.lab.dma import PROGRAM_DMA, render_dma_words
from xenlab.lab import Lab
from xenlab.measure.flow import Transport
from xenlab.plan.model import DOM0, Link
from xenlab.plan.uplink import UPLINK_PCI
from xenlab.traffic.driver_domain import kill_backend, revive_backend
from xenlab.traffic.iommu import read_iommu_evidence
from xenlab.traffic.ladder import Extent, plan_runs
from xenlab.traffic.measuring import measure_link
from xenlab.traffic.plant import PlantKind, plant_in_path
from xenlab.verdict.iommu import judge_iommu
from xenlab.verdict.loss import NO_LOSS
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.rules import judge_measurement
from xenlab.verdict.verdict import Verdict
from xenlab.waiting import wait_until

LAB = "given"
SOON_S = 60.0
EVERY = 20
LOW_MEMORY = 0x10000


@pytest.fixture(scope="module")
def given(xenlab: Xenlab) -> Iterator[Lab]:
    """A lab whose NIC is netvm's."""
    with xenlab.bring_up(LAB, topology="iommu-i7") as opened:
        yield opened


def link_to_peer(lab: Lab) -> Link:
    return next(link for link in lab.plan.uplink_links() if link.source == "app")


def judge(lab: Lab, link: Link) -> tuple[Verdict, ...]:
    (specs,) = plan_runs(link, Extent.QUICK)
    return judge_measurement(measure_link(lab, link, specs))


def test_packets_of_a_domu_reach_the_outside_by_the_driver_domains_nic(given: Lab) -> None:
    for link in given.plan.uplink_links():
        verdicts = judge(given, link)
        assert {verdict.outcome for verdict in verdicts} == {Outcome.PASS}, link
    (loss,) = [each for each in judge(given, link_to_peer(given)) if each.rule == NO_LOSS]
    vif = given.vif("app", 0)
    assert all(
        place in loss.control
        for place in ("app eth0 ", f"netvm {vif} ", "netvm uplink ", "peer uplink ")
    )


def test_xen_says_that_the_nic_is_the_driver_domains_and_dom0_has_none(given: Lab) -> None:
    verdict = judge_iommu(given.plan, read_iommu_evidence(given))
    assert verdict.outcome is Outcome.PASS
    assert verdict.control.endswith(f"; {UPLINK_PCI} - d{given.domid('netvm')}")
    argv = ["ls", "/sys/class/net"]
    devices = given.shell(DOM0).run(argv, deadline=given.budget(SOON_S)).text.split()
    assert not {"uplink", "eth1"} & set(devices)


def test_loss_between_the_bridge_and_the_wire_is_told_with_its_place(given: Lab) -> None:
    """Of datagrams alone: where streams are cut, more come out than go in."""
    link = link_to_peer(given)
    datagrams, *_others = plan_runs(link, Extent.WHOLE)
    assert {spec.transport for spec in datagrams} == {Transport.UDP}
    with plant_in_path(given, link, PlantKind.SILENT_DROP, EVERY):
        verdicts = judge_measurement(measure_link(given, link, datagrams))
    (loss,) = [each for each in verdicts if each.rule == NO_LOSS]
    assert loss.outcome is Outcome.FAIL
    vif = given.vif("app", 0)
    assert f"silent loss between netvm {vif} and netvm uplink" in str(loss)
    given.restore_silence()


def test_driver_domain_that_was_killed_has_its_nic_again(given: Lab) -> None:
    deadline = given.budget(SOON_S)
    kill_backend(given, "netvm", deadline)
    revive_backend(given, "netvm", deadline)
    given.restore_silence()
    assert {each.outcome for each in judge(given, link_to_peer(given))} == {Outcome.PASS}
    assert judge_iommu(given.plan, read_iommu_evidence(given)).outcome is Outcome.PASS


def test_nic_reads_no_memory_but_the_driver_domains(given: Lab) -> None:
    """Of the first megabyte Xen gives no domU anything while there is other memory.

    Behind this one the NIC has no driver.
    """
    said = len(given.console_bytes(DOM0))
    given.shell("netvm").run_script(
        PROGRAM_DMA, *render_dma_words(LOW_MEMORY), deadline=given.budget(SOON_S)
    ).require_success()
    refused = f"Request device [{UPLINK_PCI}] fault addr {LOW_MEMORY:x}".encode()
    wait_until(
        lambda: refused in given.console_bytes(DOM0, said) or None,
        "Xen to tell of it",
        given.budget(SOON_S),
    )


def test_nic_that_was_taken_away_again_is_a_lab_error(given: Lab) -> None:
    """The last one in this lab: nobody has the NIC afterwards."""
    argv = ["xl", "pci-detach", "netvm", UPLINK_PCI]
    given.shell(DOM0).run(argv, deadline=given.budget(SOON_S)).require_success()
    verdict = judge_iommu(given.plan, read_iommu_evidence(given))
    assert verdict.outcome is Outcome.LAB_ERROR
    assert f"asked for the NIC {UPLINK_PCI} to be netvm's, Xen says that it is" in str(verdict)


def test_nic_that_dom0_does_not_hide_keeps_the_lab_from_coming_up(
    xenlab: Xenlab, tmp_path: Path
) -> None:
    falsified = tmp_path / "falsified.yaml"
    falsified.write_text(
        "machine: {iommu: intel, nic: {}}\n"
        "dom0: {command_line: xen-pciback.hide=(0000:00:1f.3)}\n"
        "networks: {lan: {backend: netvm}}\n"
        "domus: {app: , netvm: }\n"
    )
    done = xenlab.run("test", "iommu", "--topology", str(falsified))
    assert done.returncode == Outcome.LAB_ERROR.exit_code
    assert "xl create netvm returned" in done.stderr.decode()
