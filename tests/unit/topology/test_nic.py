"""The machine's NIC as a topology asks for it: what arrives, and what is refused."""

from __future__ import annotations

import pytest

from xenlab.errors import InputError
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


def test_a_domu_may_be_called_peer_where_there_is_no_nic() -> None:
    assert parse("domus: {peer: }").domus[0].name == "peer"
