"""The IOMMU as a topology asks for it: what arrives, and what is refused before anything boots."""

from __future__ import annotations

import json

import pytest

from xenlab.errors import InputError
from xenlab.topology.loading import parse_topology, render_schema
from xenlab.topology.model import Dom0Iommu, Dom0Kind, Iommu, Topology


def parse(text: str) -> Topology:
    return parse_topology(text.encode(), file="lab.yaml", name="lab")


def test_every_setting_arrives() -> None:
    topology = parse(
        "machine: {iommu: intel, interrupt_remapping: on, iommu_passthrough: off}\n"
        "xen: {iommu: on}\n"
        "dom0: {type: pvh, iommu: strict}\n"
        "domus: {alice: }\n"
    )
    machine, dom0 = topology.machine, topology.dom0
    assert (machine.iommu, machine.interrupt_remapping) == (Iommu.INTEL, True)
    assert not machine.iommu_passthrough
    assert topology.xen.iommu
    assert (dom0.kind, dom0.iommu) == (Dom0Kind.PVH, Dom0Iommu.STRICT)


def test_without_a_word_there_is_none() -> None:
    topology = parse("domus: {alice: }")
    assert (topology.machine.iommu, topology.machine.interrupt_remapping) == (Iommu.NONE, False)
    assert (topology.dom0.kind, topology.dom0.iommu) == (Dom0Kind.PV, None)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "machine: {interrupt_remapping: on}",
            "1:32: only an IOMMU remaps interrupts; give the machine `iommu: intel` or `amd`",
        ),
        (
            "machine: {iommu: amd, iommu_passthrough: off}",
            "1:42: only `iommu: intel` can be without; elsewhere leave it away",
        ),
        (
            "dom0: {iommu: strict}",
            (
                "1:15: `strict` needs an IOMMU,"
                " and the machine has none: write `machine: {iommu: intel}`"
            ),
        ),
        (
            "{machine: {iommu: intel}, xen: {iommu: off}, dom0: {iommu: relaxed}}",
            "1:60: `relaxed` needs an IOMMU, and `xen: {iommu: off}` leaves it alone",
        ),
        (
            "dom0: {type: pvh}",
            (
                "1:14: a PVH dom0 needs an IOMMU (Xen panics without one),"
                " and the machine has none: write `machine: {iommu: intel}`"
            ),
        ),
        (
            "{machine: {iommu: amd}, xen: {iommu: off}, dom0: {type: pvh}}",
            (
                "1:57: a PVH dom0 needs an IOMMU (Xen panics without one), and"
                " `xen: {iommu: off}` leaves it alone"
            ),
        ),
        (
            "{machine: {iommu: amd}, dom0: {type: pvh, iommu: relaxed}}",
            "1:50: `relaxed` is for a PV dom0; a PVH dom0 is always strict",
        ),
        (
            "{machine: {iommu: intel}, dom0: {type: pvh, iommu: passthrough}}",
            "1:52: `passthrough` is for a PV dom0; a PVH dom0 is always strict",
        ),
        (
            "{machine: {iommu: intel, iommu_passthrough: off}, dom0: {iommu: passthrough}}",
            "1:65: `passthrough` needs an IOMMU with `iommu_passthrough`",
        ),
        (
            "machine: {iommu: virtio}",
            "1:18: `iommu`: `virtio` is not usable: Xen has no driver; write `intel` or `amd`",
        ),
        (
            "machine: {iommu: virtio-iommu}",
            (
                "1:18: `iommu`: `virtio-iommu` is not usable: Xen has no driver;"
                " write `intel` or `amd`"
            ),
        ),
        (
            "machine: {iommu: vtd}",
            "1:18: `iommu`: `vtd` is not one of `none`, `intel`, `amd`",
        ),
        (
            "dom0: {iommu: lax}",
            (
                "1:15: `iommu`: `lax` is not one of `relaxed`, `strict`, `passthrough`"
                "; did you mean `relaxed`?"
            ),
        ),
    ],
)
def test_what_cannot_work_is_refused_at_its_place(text: str, problem: str) -> None:
    flow = text.startswith("{")
    whole = f"{text[:-1]}, domus: {{a: }}}}" if flow else f"{text}\ndomus: {{a: }}"
    with pytest.raises(InputError) as caught:
        parse(whole)
    assert f"lab.yaml:{problem}" in caught.value.problems


def test_amd_iommu_needs_memory_above_the_first_gigabyte() -> None:
    text = "{machine: {iommu: amd, memory: 1GiB}, domus: {a: }}"
    with pytest.raises(InputError) as caught:
        parse(text)
    assert "1024MiB is too little" in caught.value.problems[0]
    assert "need 1088MiB" in caught.value.problems[0]
    assert parse("{machine: {iommu: amd}, domus: {a: }}").needed_memory_mib == 1088
    assert parse("{machine: {iommu: intel}, domus: {a: }}").needed_memory_mib == 944


def test_malformed_settings_have_their_own_problem_alone() -> None:
    with pytest.raises(InputError) as caught:
        parse("machine: {iommu: intel, interrupt_remapping: 2}\ndom0: pvh\ndomus: {a: }")
    assert caught.value.problems == (
        "lab.yaml:1:46: `interrupt_remapping`: `2` is no switch; write `on` or `off`",
        "lab.yaml:2:7: `dom0`: `pvh` stands where a mapping (`key: value`) belongs",
    )


def test_schema_knows_the_words() -> None:
    sections = json.loads(render_schema())["$defs"]
    assert sections["Dom0Iommu"]["enum"] == ["relaxed", "strict", "passthrough"]
    assert sections["Dom0Kind"]["enum"] == ["pv", "pvh"]
    assert "interrupt_remapping" in sections["MachineSection"]["properties"]
