"""A machine without Xen as a topology asks for it: what arrives, and what is refused."""

from __future__ import annotations

import pytest

from xenlab.errors import InputError
from xenlab.topology.loading import load_topology, parse_topology
from xenlab.topology.model import Topology

WITHOUT = "machine: {nic: {}}, xen: {boot: off}"


def parse(text: str) -> Topology:
    return parse_topology(text.encode(), file="lab.yaml", name="lab")


def test_xen_is_booted_unless_the_file_says_otherwise() -> None:
    assert parse("domus: {a: }").xen.boot
    without = parse(f"{{{WITHOUT}, domus: {{}}}}")
    assert not without.xen.boot
    assert without.domus == ()


def test_control_that_comes_with_xenlab_has_the_nic_and_kernel_of_what_it_controls() -> None:
    control, controlled = load_topology("uplink-no-xen"), load_topology("uplink")
    assert control.machine == controlled.machine
    assert control.networks == controlled.networks
    assert control.dom0 == controlled.dom0
    assert control.kernels == controlled.kernels


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            f"{{{WITHOUT}, domus: {{alice: }}}}",
            "1:55: only Xen has domUs: write `domus: {}` beside `xen: {boot: off}`",
        ),
        (
            "{xen: {boot: off}, domus: {}}",
            "1:14: nothing is sent without Xen but to the peer: write `machine: {nic: {}}`",
        ),
        (
            "{machine: {nic: {}, iommu: intel}, xen: {boot: off}, domus: {}}",
            "1:28: `iommu` needs Xen, and `xen: {boot: off}` boots none",
        ),
        (
            "{machine: {nic: {}}, xen: {boot: off, command_line: x}, domus: {}}",
            "1:53: `command_line` needs Xen, and `xen: {boot: off}` boots none",
        ),
        (
            f"{{{WITHOUT}, dom0: {{type: pvh}}, domus: {{}}}}",
            "1:53: `type` needs Xen, and `xen: {boot: off}` boots none",
        ),
        (
            f"{{{WITHOUT}, dom0: {{iommu: strict}}, domus: {{}}}}",
            "1:54: `iommu` needs Xen, and `xen: {boot: off}` boots none",
        ),
        (
            f"{{{WITHOUT}, networks: {{l: {{backend: d}}}}, domus: {{}}}}",
            "1:64: unknown domU `d`; known: `dom0`",
        ),
        (
            "{machine: {ssh: root@rack}, xen: {boot: off}, domus: {}}",
            "1:41: the host at `ssh` has booted: leave `boot` away",
        ),
        ("{xen: {boot: none}, domus: {}}", "1:14: `boot`: `none` is no switch; write `on` or"),
        ("domus: {}", "1:8: at least one is needed; only `xen: {boot: off}` goes without"),
    ],
)
def test_what_cannot_be_is_refused_at_its_place(text: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text)
    assert any(each.startswith(f"lab.yaml:{problem}") for each in caught.value.problems), (
        caught.value.problems
    )


def test_who_asks_for_what_needs_an_iommu_is_not_sent_for_one() -> None:
    with pytest.raises(InputError) as caught:
        parse(f"{{{WITHOUT}, dom0: {{type: pvh}}, domus: {{}}}}")
    assert len(caught.value.problems) == 1
