"""The kernel that runs is the one that was meant, by its build id: a release is no proof."""

from __future__ import annotations

import dataclasses

import pytest

from tests.unit.kernel.elf import pack_note
from xenlab.errors import LabError
from xenlab.life.evidence import NodeEvidence
from xenlab.life.kernel_proof import prove_kernel
from xenlab.plan.host import HostPlan
from xenlab.plan.model import LabPlan
from xenlab.plan.planner import plan_lab
from xenlab.registry.identity import ProcessIdentity
from xenlab.registry.record import LabRecord, LabState
from xenlab.topology.kernel_origin import KernelOrigin
from xenlab.topology.loading import load_topology

BASE, PATCHED = "6a2b4ac77585b8cf102cba771300e573c8489b69", "00" * 20
PACKAGE, TREE = KernelOrigin(), KernelOrigin(tree="/linux")
IMAGE = KernelOrigin(image="/bzImage", modules="/modules")
SOURCE = KernelOrigin(source="linux", patches=("my.patch",))
NODES = ("dom0", "alice", "peer")


def make_plan(origin: KernelOrigin, topology: str = "uplink") -> LabPlan:
    """All nodes boot a kernel of this origin."""
    plan = plan_lab(load_topology(topology))
    kernels = tuple(dataclasses.replace(one, origin=origin) for one in plan.kernels)
    return dataclasses.replace(plan, kernels=kernels)


def make_record(plan: LabPlan, *build_ids: tuple[str, str]) -> LabRecord:
    return LabRecord(
        name="lab", lab_id="0", state=LabState.STARTING, transient=False,
        creator=ProcessIdentity.own(), created_unix_s=0.0, topology=plan.topology_name,
        plan_json="", accel="tcg", accel_reason="", machine_uuid="", build_ids=build_ids,
    )  # fmt: skip


def prove(origin: KernelOrigin, node: str, *, shown: str, meant: str) -> None:
    plan = make_plan(origin)
    build_ids = tuple((name, meant if name == node else BASE) for name in NODES)
    prove_kernel(plan, make_record(plan, *build_ids), node, shown)


@pytest.mark.parametrize("origin", [PACKAGE, TREE, IMAGE, SOURCE])
@pytest.mark.parametrize("node", NODES)
def test_node_with_the_kernel_that_was_meant_is_believed(origin: KernelOrigin, node: str) -> None:
    prove(origin, node, shown=PATCHED, meant=PATCHED)


@pytest.mark.parametrize("origin", [PACKAGE, TREE, IMAGE, SOURCE])
@pytest.mark.parametrize("node", NODES)
def test_node_with_another_build_is_an_error_of_the_lab_with_both_ids_and_what_to_do(
    origin: KernelOrigin, node: str
) -> None:
    with pytest.raises(LabError, match=f"{node} runs another kernel") as raised:
        prove(origin, node, shown=BASE, meant=PATCHED)

    assert f"build id {BASE}, and that of debian is {PATCHED}" in raised.value.what
    assert raised.value.phase == "prove the kernels"
    assert raised.value.try_next == "xenlab images verify"


def test_host_that_booted_another_build_is_to_be_looked_at() -> None:
    host = HostPlan(
        user="root", host="rack", port=2222, identity="", known_hosts="", reset="", drivers=False
    )
    plan = dataclasses.replace(make_plan(PACKAGE, "pair"), host=host)
    with pytest.raises(LabError, match="dom0 runs another kernel") as raised:
        prove_kernel(plan, make_record(plan, ("dom0", PATCHED)), "dom0", BASE)

    assert raised.value.try_next == "ssh -p 2222 root@rack uname -a"


@pytest.mark.parametrize(("shown", "meant"), [("", BASE), (BASE, ""), ("", "")])
@pytest.mark.parametrize("origin", [TREE, IMAGE, SOURCE])
def test_kernel_under_test_that_cannot_be_told_is_an_error_of_the_lab(
    origin: KernelOrigin, shown: str, meant: str
) -> None:
    with pytest.raises(LabError, match="alice cannot prove that it runs debian: build id"):
        prove(origin, "alice", shown=shown, meant=meant)


@pytest.mark.parametrize("shown", ["", BASE])
def test_packaged_kernel_that_cannot_be_told_is_no_error(shown: str) -> None:
    prove(PACKAGE, "alice", shown=shown, meant="")


def test_lab_of_an_older_record_knows_no_ids() -> None:
    prove_kernel(make_plan(PACKAGE), make_record(make_plan(PACKAGE)), "alice", BASE)
    with pytest.raises(LabError, match=f"build id {BASE}, and that of debian is not known"):
        prove_kernel(make_plan(TREE), make_record(make_plan(TREE)), "alice", BASE)


def test_node_tells_its_build_id_with_its_release() -> None:
    notes = pack_note("Xen", 6, b"linux\0") + pack_note("GNU", 3, bytes.fromhex(BASE))
    plan = make_plan(PACKAGE)

    assert NodeEvidence.parse(plan, "alice", "6.1\n", notes).build_id == BASE
    assert NodeEvidence.parse(plan, "dom0", "6.1 4 17 .7", notes).build_id == BASE
    assert NodeEvidence.parse(plan, "peer", "6.1 hpet tsc", notes).build_id == BASE
    assert NodeEvidence.parse(plan, "alice", "6.1\n").build_id == ""
    with pytest.raises(LabError, match="alice: /sys/kernel/notes: cut short"):
        NodeEvidence.parse(plan, "alice", "6.1\n", notes[:-1])
