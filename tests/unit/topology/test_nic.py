"""The machine's NIC as a topology asks for it: what arrives, and what is refused."""

from __future__ import annotations

import pytest

from xenlab.errors import InputError
from xenlab.plan.planner import plan_lab
from xenlab.topology.loading import parse_topology
from xenlab.topology.model import NicModel, NicSpec, Topology


def parse(text: str) -> Topology:
    return parse_topology(text.encode(), file="lab.yaml", name="lab")


def test_nic_is_an_e1000e_on_the_only_network_unless_said_otherwise() -> None:
    assert parse("{machine: {nic: {}}, domus: {a: }}").machine.nic == NicSpec(network="lan")
    asked = parse(
        "{machine: {iommu: amd, nic: {model: virtio-iommu, network: r}}, networks: {l: , r: },"
        " domus: {a: {vifs: [{network: l}]}}}"
    )
    assert asked.machine.nic == NicSpec(network="r", model=NicModel.VIRTIO_IOMMU)


def test_without_a_word_there_is_none() -> None:
    assert parse("domus: {a: }").machine.nic is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "{machine: {nic: {model: virtio-iommu}}, domus: {a: }}",
            "1:25: `virtio-iommu` needs an IOMMU: write `machine: {iommu: intel}`",
        ),
        (
            "{machine: {iommu: amd, nic: {model: virtio}}, dom0: {type: pvh}, domus: {a: }}",
            "1:37: `virtio` passes the IOMMU by, which a PVH dom0 cannot; write `e1000e`",
        ),
        (
            "{machine: {nic: {}}, networks: {fast: {mtu: 16000}}, domus: {a: }}",
            "1:45: 16000 is above the 9000 that `e1000e` takes",
        ),
        (
            "{machine: {nic: {}}, domus: {peer: }}",
            "1:36: `peer` is at the other end of the NIC",
        ),
        (
            "{machine: {nic: {network: lam}}, networks: {lan: }, domus: {a: }}",
            "1:27: unknown network `lam`; did you mean `lan`?",
        ),
        (
            "{machine: {nic: {}}, networks: {l: , r: }, domus: {a: {vifs: [{network: l}]}}}",
            "1:17: say which `network`: `l`, `r`",
        ),
        (
            "{machine: {nic: {model: e1000}}, domus: {a: }}",
            (
                "1:25: `model`: `e1000` is not one of `e1000e`, `virtio`, `virtio-iommu`"
                "; did you mean `e1000e`?"
            ),
        ),
        (
            "{machine: {nic: {modle: virtio}}, domus: {a: }}",
            "1:18: unknown key `modle`; did you mean `model`?",
        ),
        (
            "{machine: {nic: e1000e}, domus: {a: }}",
            "1:17: `nic`: `e1000e` stands where a mapping (`key: value`) belongs",
        ),
    ],
)
def test_what_cannot_be_is_refused_at_its_place(text: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text)
    assert f"lab.yaml:{problem}" in caught.value.problems


PASSED = "networks: {lan: {backend: n}}, domus: {n: , a: }"
TOLD = "the NIC is passed through to `n`"


@pytest.mark.parametrize("iommu", ["intel", "amd"])
def test_nic_on_a_network_of_a_domus_is_passed_through_to_it(iommu: str) -> None:
    plan = plan_lab(parse(f"{{machine: {{iommu: {iommu}, nic: {{}}}}, {PASSED}}}"))
    assert (plan.nic_owner, plan.nic_domu) == ("n", "n")
    kept = plan_lab(parse("{machine: {nic: {}}, domus: {a: }}"))
    assert (kept.nic_owner, kept.nic_domu) == ("dom0", "")
    assert plan_lab(parse("domus: {a: }")).nic_owner == ""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            f"{{machine: {{nic: {{}}}}, {PASSED}}}",
            f"1:17: {TOLD}, the backend of its network: write `machine: {{iommu: intel}}`",
        ),
        (
            f"{{machine: {{iommu: intel, nic: {{}}}}, xen: {{iommu: off}}, {PASSED}}}",
            f"1:49: {TOLD}, which takes the IOMMU: leave `off` away",
        ),
        (
            f"{{machine: {{iommu: intel, nic: {{model: virtio-iommu}}}}, {PASSED}}}",
            f"1:39: {TOLD}, which only an `e1000e` can be",
        ),
        (
            f"{{machine: {{iommu: intel, nic: {{}}}}, dom0: {{type: pvh}}, {PASSED}}}",
            f"1:49: {TOLD}, which only a PV dom0 can do",
        ),
        (
            "networks: {l: {backend: n}}\ndomus: {n: {type: hvm}}\nmachine: {iommu: amd, nic: {}}",
            f"2:19: {TOLD}, which only a PV domU can take",
        ),
        (
            "{machine: {nic: {network: r}}, networks: {l: , r: {backend: n}}, domus: {n: }}",
            f"1:17: {TOLD}, the backend of its network: write `machine: {{iommu: intel}}`",
        ),
    ],
)
def test_what_keeps_a_domu_from_the_nic_is_told_at_its_place(text: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text)
    assert f"lab.yaml:{problem}" in caught.value.problems


def test_a_backend_that_is_not_there_is_told_once() -> None:
    with pytest.raises(InputError) as caught:
        parse("{machine: {nic: {}}, networks: {lan: {backend: netvn}}, domus: {netvm: }}")
    assert caught.value.problems == ("lab.yaml:1:48: unknown domU `netvn`; did you mean `netvm`?",)


def test_a_domu_may_be_called_peer_where_there_is_no_nic() -> None:
    assert parse("domus: {peer: }").domus[0].name == "peer"
