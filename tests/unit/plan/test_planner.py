"""From a topology to a plan: the same every time, every number once, nothing left open."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import CompareGolden
from xenlab.errors import InputError
from xenlab.plan.model import Accel, LabPlan, RoutePlan
from xenlab.plan.planner import plan_lab
from xenlab.topology import defaults
from xenlab.topology.fields import NAME_PATTERN, parse_mac
from xenlab.topology.loading import load_topology, parse_topology
from xenlab.topology.model import (
    Dom0Spec,
    DomUSpec,
    KernelSpec,
    MachineSpec,
    NetworkSpec,
    Topology,
    VifSpec,
    XenSpec,
)

QUICK = settings(max_examples=25, deadline=None)


def plan_of(text: str) -> LabPlan:
    return plan_lab(parse_topology(text.encode(), file="lab.yaml", name="lab"))


def test_plan_of_pair_is_the_golden_one(golden: CompareGolden) -> None:
    golden("pair.json", plan_lab(load_topology("pair")).to_json() + "\n")


def test_plan_of_uplink_is_the_golden_one(golden: CompareGolden) -> None:
    golden("uplink.json", plan_lab(load_topology("uplink")).to_json() + "\n")


def test_a_nic_changes_nothing_for_the_others() -> None:
    plain = plan_of("{networks: {l: , r: }, domus: {a: {vifs: [{network: r}]}}}")
    plan = plan_of(
        "{machine: {nic: {network: r}}, networks: {l: , r: }, domus: {a: {vifs: [{network: r}]}}}"
    )
    assert replace(plan, uplink=None) == plain
    assert plan.uplink is not None
    assert (plan.uplink.network, plan.uplink.peer.address4) == ("r", "10.77.2.11")
    assert plan.node_names == (*plan.domain_names, "peer") == ("dom0", "a", "peer")
    assert plan.is_peer("peer")
    assert not plain.is_peer("peer")


def test_addresses_are_easy_to_tell() -> None:
    plan = plan_of("{networks: {l: , r: }, domus: {a: {vifs: [{network: r}, {network: l}]}}}")
    left, right = plan.networks
    assert (left.address4, left.address6) == ("10.77.1.1", "fd78:656e:6c61:1::1")
    assert (right.address4, right.address6) == ("10.77.2.1", "fd78:656e:6c61:2::1")
    first, second = plan.domu("a").vifs
    assert (first.device, first.address4, first.address6) == (
        "eth0",
        "10.77.2.10",
        "fd78:656e:6c61:2::10",
    )
    assert (second.device, second.address4) == ("eth1", "10.77.1.10")


def test_mac_depends_on_the_names_and_on_nothing_else() -> None:
    def mac_of_bob(text: str) -> str:
        return plan_of(text).domu("bob").vifs[0].mac

    alone = mac_of_bob("domus: {bob: }")
    assert alone == mac_of_bob("{networks: {net: {mtu: 9000}}, domus: {alice: , bob: }}")
    assert alone.startswith("00:16:3e:")
    assert alone != plan_of("domus: {alice: , bob: }").domu("alice").vifs[0].mac


def test_given_mac_is_kept_and_a_derived_one_gives_way() -> None:
    derived = plan_of("domus: {alice: }").domu("alice").vifs[0].mac
    plan = plan_of(f"domus: {{alice: , bob: {{vifs: [{{mac: {derived}}}]}}}}")
    assert plan.domu("bob").vifs[0].mac == derived
    assert plan.domu("alice").vifs[0].mac != derived


def test_bridges_of_long_names_fit_and_differ() -> None:
    networks = ("abcdefghijklmno", "abcdefghijklmnp", "abcdefghijkl", "abc")
    entries = ", ".join(f"{name}: " for name in networks)
    plan = plan_of(f"{{networks: {{{entries}}}, domus: {{a: {{vifs: []}}}}}}")
    bridges = [network.bridge for network in plan.networks]
    assert bridges[2:] == ["br-abcdefghijkl", "br-abc"]
    assert bridges[0].startswith("br-abcdefg-")
    assert len(set(bridges)) == 4
    assert all(len(bridge) <= 15 for bridge in bridges)


def test_network_named_like_a_cut_bridge_keeps_its_name() -> None:
    cut = plan_of("{networks: {abcdefghijklmno: }, domus: {a: }}").networks[0].bridge
    rival = cut.removeprefix("br-")
    plan = plan_of(f"{{networks: {{abcdefghijklmno: , {rival}: }}, domus: {{a: {{vifs: []}}}}}}")
    assert plan.network(rival).bridge == cut
    assert plan.network("abcdefghijklmno").bridge != cut


def test_machine_has_as_much_memory_as_its_domains_need() -> None:
    plan = plan_of("{dom0: {memory: 1GiB}, domus: {a: {memory: 256MiB}, b: }}")
    assert plan.machine.memory_mib == defaults.needed_machine_mib(
        1024, [256, defaults.DOMU_MEMORY_MIB]
    )
    assert plan_of("{machine: {memory: 8GiB}, domus: {a: }}").machine.memory_mib == 8192


def test_machine_too_small_is_an_input_error() -> None:
    topology = replace(load_topology("pair"), machine=MachineSpec(memory_mib=512))
    with pytest.raises(InputError, match="a machine of 512MiB is too little"):
        plan_lab(topology)


def test_only_kernels_in_use_are_planned() -> None:
    plan = plan_of("{kernels: {mine: {suite: sid}, idle: }, domus: {a: {kernel: mine}}}")
    assert [(kernel.name, kernel.origin.suite) for kernel in plan.kernels] == [
        ("debian", "bookworm"),
        ("mine", "sid"),
    ]


def test_overrides_take_precedence() -> None:
    plan = plan_lab(
        load_topology("pair"),
        accel=Accel.TCG,
        dom0_kernel="trixie",
        domu_kernels={"alice": "sid", "bob": "sid"},
    )
    assert plan.machine.accel is Accel.TCG
    assert plan.dom0.kernel == "trixie"
    assert {domu.kernel for domu in plan.domus} == {"sid"}
    assert [kernel.name for kernel in plan.kernels] == ["sid", "trixie"]
    assert plan_lab(load_topology("pair")).machine.accel is Accel.AUTO


def test_every_unknown_kernel_is_named_and_guessed() -> None:
    with pytest.raises(InputError) as caught:
        plan_lab(load_topology("pair"), dom0_kernel="trixy", domu_kernels={"bob": "$(id)"})
    assert len(caught.value.problems) == 2
    assert "unknown kernel `$(id)` (there are" in caught.value.problems[0]
    assert "unknown kernel `trixy`; did you mean `trixie`?" in caught.value.problems[1]


def test_routed_domus_have_routes_by_dom0_and_others_have_none() -> None:
    routed = plan_lab(load_topology("routed"))
    assert routed.dom0.forwarding
    assert routed.domu("alice").routes == (
        RoutePlan(destination="10.77.2.0/24", gateway="10.77.1.1"),
        RoutePlan(destination="fd78:656e:6c61:2::/64", gateway="fd78:656e:6c61:1::1"),
    )
    for name in ("pair", "pair-pvh", "quad", "single", "two-nets"):
        assert all(domu.routes == () for domu in plan_lab(load_topology(name)).domus)


def test_domus_have_routes_by_the_domu_that_forwards() -> None:
    plan = plan_lab(load_topology("driver-domain"))
    assert (plan.router, plan.backends) == ("firewall", ("firewall", "netvm"))
    assert plan.domu("firewall").routes == ()
    assert plan.domu("app").routes == (
        RoutePlan(destination="10.77.2.0/24", gateway="10.77.1.1"),
        RoutePlan(destination="fd78:656e:6c61:2::/64", gateway="fd78:656e:6c61:1::1"),
    )
    by_its_vif = (
        RoutePlan(destination="10.77.1.0/24", gateway="10.77.2.10"),
        RoutePlan(destination="fd78:656e:6c61:1::/64", gateway="fd78:656e:6c61:2::10"),
    )
    assert plan.domu("netvm").routes == plan.domu("peer").routes == by_its_vif


def test_router_never_puts_packets_together() -> None:
    plan = plan_lab(load_topology("driver-domain"))
    assert plan.domu("firewall").vifs[0].features == (("gro", False),)
    assert plan.domu("peer").vifs[0].features == ()


NAMES = st.from_regex(re.compile(NAME_PATTERN.replace("$", r"\Z")), fullmatch=True)


@st.composite
def topologies(draw: st.DrawFn) -> Topology:
    networks = draw(st.lists(NAMES, min_size=1, max_size=16, unique=True))
    domus = draw(
        st.lists(
            NAMES.filter(lambda name: name not in defaults.RESERVED_NODE_NAMES),
            min_size=1,
            max_size=16,
            unique=True,
        )
    )
    vifs = st.lists(st.sampled_from(networks), max_size=8, unique=True)
    return Topology(
        name="lab",
        machine=MachineSpec(),
        xen=XenSpec(),
        kernels=(KernelSpec(name=defaults.KERNEL),),
        dom0=Dom0Spec(forwarding=draw(st.booleans())),
        domus=tuple(
            DomUSpec(name=name, vifs=tuple(VifSpec(network=network) for network in draw(vifs)))
            for name in domus
        ),
        networks=tuple(NetworkSpec(name=name) for name in networks),
    )


@QUICK
@given(topology=topologies())
def test_plan_is_the_same_every_time(topology: Topology) -> None:
    plan = plan_lab(topology)
    assert plan == plan_lab(topology)
    assert plan.content_digest() == plan_lab(topology).content_digest()
    assert LabPlan.from_json(plan.to_json()) == plan


@QUICK
@given(topology=topologies())
def test_every_number_and_name_is_given_once(topology: Topology) -> None:
    plan = plan_lab(topology)
    vifs = [vif for domu in plan.domus for vif in domu.vifs]
    bridges = [network.bridge for network in plan.networks]
    addresses = [address for vif in vifs for address in (vif.address4, vif.address6)]
    addresses += [address for net in plan.networks for address in (net.address4, net.address6)]
    for values in ([vif.mac for vif in vifs], bridges, addresses):
        assert len(set(values)) == len(values)
    assert all(len(bridge) <= 15 for bridge in bridges)
    assert all(parse_mac(vif.mac) == vif.mac for vif in vifs)


@QUICK
@given(topology=topologies())
def test_addresses_lie_in_the_range_of_their_network(topology: Topology) -> None:
    plan = plan_lab(topology)
    for network in plan.networks:
        range4 = ipaddress.ip_interface(f"{network.address4}/{network.prefix4}").network
        range6 = ipaddress.ip_interface(f"{network.address6}/{network.prefix6}").network
        assert range4.is_private
        assert range6.is_private
        for _, vif in plan.vifs_on(network.name):
            assert ipaddress.ip_address(vif.address4) in range4
            address6 = ipaddress.ip_address(vif.address6)
            assert address6 in range6
            assert str(address6) == vif.address6
