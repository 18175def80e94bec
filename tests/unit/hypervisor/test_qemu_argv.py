"""The argv for QEMU by hand has what the domain XML has."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from xenlab.hypervisor.qemu_argv import render_qemu_argv
from xenlab.plan.model import Accel, Dom0Kind, Iommu, LabPlan
from xenlab.plan.planner import plan_lab
from xenlab.topology.loading import load_topology


@pytest.fixture
def plan() -> LabPlan:
    return plan_lab(load_topology("pair"))


def values(argv: list[str], option: str) -> list[str]:
    """Every value of an option."""
    return [value for name, value in pairwise(argv) if name == option]


def test_machine_is_the_plans(plan: LabPlan) -> None:
    argv = render_qemu_argv(plan, Path("/b"), Accel.TCG, 2222)

    assert values(argv, "-cpu") == [plan.machine.cpu_model]
    assert values(argv, "-m") == [str(plan.machine.memory_mib)]
    assert values(argv, "-accel") == ["tcg"]
    assert values(argv, "-kernel") == ["/b/xen"]
    assert values(argv, "-netdev") == [
        "user,id=management,restrict=on,hostfwd=tcp:127.0.0.1:2222-:22"
    ]


def test_every_domu_has_a_console_port_and_a_file(plan: LabPlan) -> None:
    argv = render_qemu_argv(plan, Path("/b"), Accel.TCG, 0)

    consoles = [value for value in values(argv, "-chardev") if value.startswith("file")]
    assert consoles == [
        "file,id=console1,path=/b/alice.console.log",
        "file,id=console2,path=/b/bob.console.log",
    ]
    ports = [value for value in values(argv, "-device") if value.startswith("virtserialport")]
    assert [port.rpartition("=")[2] for port in ports] == ["console.alice", "console.bob"]


def test_comma_in_a_command_line_is_doubled_for_multiboot(plan: LabPlan) -> None:
    with_comma = replace(plan, dom0=replace(plan.dom0, command_line="trace_event=net:*,xen:*"))
    (module,) = values(render_qemu_argv(with_comma, Path("/b"), Accel.TCG, 0), "-initrd")

    assert "trace_event=net:*,,xen:*" in module
    assert module.endswith(",/b/initrd.cpio")


@pytest.mark.parametrize(
    ("iommu", "device"),
    [
        (Iommu.INTEL, "intel-iommu,intremap=off,eim=off"),
        (Iommu.AMD, '{"driver": "amd-iommu", "intremap": "off"}'),
    ],
)
def test_iommu_is_a_device(plan: LabPlan, iommu: Iommu, device: str) -> None:
    machine = replace(plan.machine, iommu=iommu)
    argv = render_qemu_argv(replace(plan, machine=machine), Path("/b"), Accel.TCG, 0)

    assert device in values(argv, "-device")


def test_what_the_plan_says_of_the_iommu_is_there(plan: LabPlan) -> None:
    machine = replace(
        plan.machine, iommu=Iommu.INTEL, interrupt_remapping=True, iommu_passthrough=False
    )
    pvh = replace(plan, machine=machine, dom0=replace(plan.dom0, kind=Dom0Kind.PVH))
    argv = render_qemu_argv(pvh, Path("/b"), Accel.TCG, 0)

    assert "intel-iommu,intremap=on,eim=off" in values(argv, "-device")
    assert values(argv, "-global") == ["intel-iommu.pt=off"]
    virtio = [each for each in values(argv, "-device") if each.startswith("virtio-")]
    assert len(virtio) == 3
    assert all(each.endswith("iommu_platform=on") for each in virtio)


def test_kvm_takes_the_hosts_cpu(plan: LabPlan) -> None:
    argv = render_qemu_argv(plan, Path("/b"), Accel.KVM, 0)

    assert (values(argv, "-accel"), values(argv, "-cpu")) == (["kvm"], ["host"])
