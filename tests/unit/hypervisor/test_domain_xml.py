"""The machine's XML, whole, in golden files; what the goldens cannot show, by itself."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from tests.conftest import CompareGolden
from xenlab.hypervisor.domain_xml import render_dom0_module, render_domain_xml
from xenlab.hypervisor.machine_xml import QEMU_NAMESPACE, MachineIdentity
from xenlab.hypervisor.peer_xml import peer_identity, peer_uuid, render_peer_xml
from xenlab.plan.model import Accel, Dom0Kind, Iommu, LabPlan, NicModel
from xenlab.plan.planner import plan_lab
from xenlab.registry.places import LabPlaces
from xenlab.topology.loading import load_topology

PLACES = LabPlaces(name="pair", state=Path("/state"), run=Path("/run/lab"), cache=Path("/cache"))
IDENTITY = MachineIdentity(
    domain_name="xenlab-pair", uuid="00000000-0000-4000-8000-000000000001", lab_id="0123456789ab"
)


@pytest.fixture(scope="module")
def plan() -> LabPlan:
    return plan_lab(load_topology("pair"))


def with_iommu(plan: LabPlan, iommu: Iommu) -> LabPlan:
    return replace(plan, machine=replace(plan.machine, iommu=iommu))


def arguments_of(xml: str) -> list[str]:
    domain = ET.fromstring(xml)  # noqa: S314 (we wrote it)
    path = f"{{{QEMU_NAMESPACE}}}commandline/{{{QEMU_NAMESPACE}}}arg"
    return [argument.get("value", "") for argument in domain.findall(path)]


def render(plan: LabPlan, accel: Accel = Accel.TCG, *, restored: bool = False) -> str:
    return render_domain_xml(plan, PLACES, IDENTITY, accel, restored=restored)


def test_pair_under_emulation(plan: LabPlan, golden: CompareGolden) -> None:
    golden("pair-tcg.xml", render(plan))


def test_pair_under_kvm(plan: LabPlan, golden: CompareGolden) -> None:
    golden("pair-kvm.xml", render(plan, Accel.KVM))


def test_pair_restored(plan: LabPlan, golden: CompareGolden) -> None:
    golden("pair-restored.xml", render(plan, restored=True))


@pytest.mark.parametrize("iommu", [Iommu.INTEL, Iommu.AMD])
def test_pair_with_an_iommu(plan: LabPlan, iommu: Iommu, golden: CompareGolden) -> None:
    golden(f"pair-{iommu}.xml", render(with_iommu(plan, iommu)))


@pytest.mark.parametrize("iommu", [Iommu.INTEL, Iommu.AMD])
def test_interrupts_are_remapped(plan: LabPlan, iommu: Iommu, golden: CompareGolden) -> None:
    machine = replace(plan.machine, iommu=iommu, interrupt_remapping=True)
    golden(f"pair-{iommu}-remapping.xml", render(replace(plan, machine=machine)))


def test_intel_iommu_can_be_without_passthrough(plan: LabPlan) -> None:
    machine = replace(plan.machine, iommu=Iommu.INTEL, iommu_passthrough=False)
    arguments = arguments_of(render(replace(plan, machine=machine)))
    assert ("-global", "intel-iommu.pt=off") in pairwise(arguments)
    assert "-global" not in arguments_of(render(with_iommu(plan, Iommu.INTEL)))


def test_virtio_of_a_pvh_dom0_goes_through_the_iommu(plan: LabPlan) -> None:
    intel = with_iommu(plan, Iommu.INTEL)
    pvh = render(replace(intel, dom0=replace(plan.dom0, kind=Dom0Kind.PVH)))
    devices = ET.fromstring(pvh).find("devices")  # noqa: S314 (we wrote it)
    assert devices is not None
    for path in ("controller[@type='virtio-serial']/driver", "rng/driver"):
        driver = devices.find(path)
        assert driver is not None
        assert driver.get("iommu") == "on"
    (nic,) = [each for each in arguments_of(pvh) if each.startswith("virtio-net")]
    assert nic.endswith("disable-legacy=on,iommu_platform=on")
    assert "iommu_platform" not in render(intel)


def test_machine_with_a_nic_and_its_peer(golden: CompareGolden) -> None:
    plan = plan_lab(load_topology("uplink"))
    assert plan.uplink is not None
    golden("uplink.xml", render(plan))
    golden("uplink-peer.xml", render_peer_xml(plan, plan.uplink, PLACES, IDENTITY, Accel.TCG))
    restored = render_peer_xml(plan, plan.uplink, PLACES, IDENTITY, Accel.TCG, restored=True)
    assert "initrd" not in restored


def test_machine_without_xen_boots_the_kernel_itself(golden: CompareGolden) -> None:
    plan = plan_lab(load_topology("uplink-no-xen"))
    golden("uplink-no-xen.xml", render(plan))
    restored = ET.fromstring(render(plan, restored=True))  # noqa: S314 (we wrote it)
    assert restored.findtext("os/kernel") == "/run/lab/lab/boot/vmlinux"
    assert restored.find("os/initrd") is None


@pytest.mark.parametrize(
    ("model", "device"),
    [
        (NicModel.E1000E, "e1000e,mac="),
        (NicModel.VIRTIO, "virtio-net-pci,mac="),
        (NicModel.VIRTIO_IOMMU, "virtio-net-pci,disable-legacy=on,iommu_platform=on,mac="),
    ],
)
def test_nic_is_of_the_model_asked_for(model: NicModel, device: str) -> None:
    plan = plan_lab(load_topology("iommu-i1"))
    assert plan.uplink is not None
    arguments = arguments_of(render(replace(plan, uplink=replace(plan.uplink, model=model))))
    assert [each for each in arguments if each.startswith(device)]


def test_peer_is_found_by_who_knows_the_machine() -> None:
    peer = peer_identity(IDENTITY)
    assert peer.uuid == peer_uuid(IDENTITY.uuid) != IDENTITY.uuid
    assert peer.domain_name == "xenlab-pair-peer"


def test_same_plan_gives_the_same_bytes(plan: LabPlan) -> None:
    assert render(plan) == render(plan_lab(load_topology("pair")))


def test_hostile_command_line_stays_one_text(plan: LabPlan) -> None:
    evil = 'a="b" <bogus/> &amp; ]]> , "'
    hostile = replace(plan, xen=replace(plan.xen, command_line=evil))
    cmdline = ET.fromstring(render(hostile)).findtext("os/cmdline")  # noqa: S314 (we wrote it)
    assert cmdline is not None
    assert cmdline.endswith(evil)


def test_comma_is_doubled_for_multiboot(plan: LabPlan) -> None:
    commas = replace(plan, dom0=replace(plan.dom0, command_line="trace_event=net:*,xen:*"))
    module = render_dom0_module(commas, PLACES)
    assert "trace_event=net:*,,xen:*" in module
    assert module.replace(",,", "").count(",") == 1
    assert module.endswith(",/run/lab/lab/boot/initrd.cpio")


def test_features_of_the_cpu_are_switched_one_by_one(plan: LabPlan) -> None:
    machine = replace(plan.machine, cpu_model="max,+npt,-smap")
    domain = ET.fromstring(render(replace(plan, machine=machine)))  # noqa: S314 (we wrote it)
    features = [(one.get("name"), one.get("policy")) for one in domain.findall("cpu/feature")]
    assert domain.findtext("cpu/model") == "max"
    assert features == [("npt", "require"), ("smap", "disable")]


def test_every_domu_has_a_console_channel_and_every_node_one_to_stand_by(plan: LabPlan) -> None:
    domain = ET.fromstring(render(plan))  # noqa: S314 (we wrote it)
    names = [target.get("name") for target in domain.findall("devices/channel/target")]
    assert names == [
        *("console.alice", "console.bob"),
        *("standby.dom0", "standby.alice", "standby.bob"),
    ]


def test_nothing_outside_the_sandbox_is_named(plan: LabPlan) -> None:
    """Host paths do not exist where the daemon runs, and would be in the way of a checkpoint."""
    assert "/state" not in render(plan)
    assert "/cache" not in render(plan)
