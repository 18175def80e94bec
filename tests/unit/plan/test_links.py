"""Links: who can send to whom, over what, and by which addresses."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from xenlab.plan.model import LabPlan, Link
from xenlab.plan.planner import plan_lab
from xenlab.topology.loading import load_topology, parse_topology


def plan_of(text: str) -> LabPlan:
    return plan_lab(parse_topology(text.encode(), file="lab.yaml", name="lab"))


def ends(links: tuple[Link, ...]) -> list[tuple[str, str]]:
    return [(link.source, link.sink) for link in links]


def test_pair_has_a_link_for_every_ordered_pair_of_its_nodes() -> None:
    links = plan_lab(load_topology("pair")).links()
    assert ends(links) == [
        ("dom0", "alice"),
        ("dom0", "bob"),
        ("alice", "dom0"),
        ("alice", "bob"),
        ("bob", "dom0"),
        ("bob", "alice"),
    ]
    assert not any(link.routed for link in links)
    assert all(link.networks == ("lan",) for link in links)


def test_end_at_dom0_is_the_bridge_and_has_no_vif() -> None:
    to_alice, to_dom0 = plan_lab(load_topology("single")).links()
    assert to_alice.source_vif is None
    assert to_alice.sink_vif is not None
    assert (to_alice.source_device, to_alice.sink_device) == ("br-lan", "eth0")
    assert (to_alice.source_address4, to_alice.sink_address4) == ("10.77.1.1", "10.77.1.10")
    assert to_alice.sink_address6 == "fd78:656e:6c61:1::10"
    assert to_dom0.sink_vif is None
    assert (to_dom0.sink_device, to_dom0.sink_address4) == ("br-lan", "10.77.1.1")


def test_two_networks_between_two_nodes_are_two_links() -> None:
    links = plan_lab(load_topology("two-nets")).links()
    assert [(link.source, link.sink, link.networks, link.sink_device) for link in links] == [
        ("dom0", "alice", ("left",), "eth0"),
        ("dom0", "alice", ("right",), "eth1"),
        ("alice", "dom0", ("left",), "br-left"),
        ("alice", "dom0", ("right",), "br-right"),
    ]


def test_chain_of_driver_domains_has_links_without_dom0() -> None:
    plan = plan_lab(load_topology("driver-domain"))
    links = {(link.source, link.sink): link for link in plan.links()}
    nodes = ("app", "firewall", "netvm", "peer")
    assert set(links) == {(one, other) for one in nodes for other in nodes if one != other}
    there = links["app", "peer"]
    assert (there.networks, there.backends) == (("inner", "outer"), ("firewall", "netvm"))
    assert there.router == "firewall"
    assert [vif and vif.device for vif in there.router_vifs] == [None, "eth0"]
    assert [vif and vif.device for vif in links["peer", "app"].router_vifs] == ["eth0", None]
    to_netvm = links["app", "netvm"]
    assert (to_netvm.sink_device, to_netvm.sink_address4) == ("br-outer", "10.77.2.1")
    assert not links["netvm", "peer"].routed
    assert links["netvm", "peer"].backends == ("netvm",)


def test_link_through_a_routers_netfront_has_its_mtu() -> None:
    plan = plan_of(
        "{networks: {l: {backend: r}, m: {mtu: 9000}}, domus: {a: {vifs: [{network: l}]},"
        " r: {forwarding: true, vifs: [{network: m, mtu: 1400}]}, b: {vifs: [{network: m}]}}}"
    )
    (there,) = [link for link in plan.links() if ends((link,)) == [("a", "b")]]
    assert there.mtu_bytes == 1400


def test_routed_link_crosses_both_networks() -> None:
    plan = plan_lab(load_topology("routed"))
    (there,) = [link for link in plan.links() if ends((link,)) == [("alice", "bob")]]
    assert there.routed
    assert there.networks == ("left", "right")
    assert (there.source_address4, there.sink_address4) == ("10.77.1.10", "10.77.2.10")
    assert plan.peers("alice") == ("dom0", "bob")


def test_without_forwarding_there_is_no_link_between_networks() -> None:
    plan = plan_of(
        "{networks: {l: , r: }, domus: {a: {vifs: [{network: l}]}, b: {vifs: [{network: r}]}}}"
    )
    assert plan.peers("a") == ("dom0",)


def test_shared_network_is_preferred_to_routing() -> None:
    plan = plan_of(
        "{networks: {l: , r: }, dom0: {forwarding: true},"
        " domus: {a: {vifs: [{network: l}, {network: r}]}, b: {vifs: [{network: r}]}}}"
    )
    (link,) = [link for link in plan.links() if ends((link,)) == [("a", "b")]]
    assert (link.networks, link.source_device) == (("r",), "eth1")


def test_domu_without_vifs_has_no_links() -> None:
    plan = plan_of("{dom0: {forwarding: true}, domus: {a: , b: {vifs: []}}}")
    assert plan.peers("b") == ()


def test_mtu_of_a_link_is_the_least_on_its_way() -> None:
    plan = plan_of(
        "{networks: {l: {mtu: 9000}, r: {mtu: 1279}}, dom0: {forwarding: true},"
        " domus: {a: {vifs: [{network: l, mtu: 4000}]}, b: {vifs: [{network: r}]}}}"
    )
    mtus = {(link.source, link.sink): link.mtu_bytes for link in plan.links()}
    assert mtus["dom0", "a"] == 4000
    assert mtus["a", "b"] == mtus["b", "a"] == mtus["b", "dom0"] == 1279
    carries_ipv6 = {(link.source, link.sink): link.carries_ipv6 for link in plan.links()}
    assert carries_ipv6["dom0", "a"]
    assert not carries_ipv6["a", "b"]


@settings(max_examples=40, deadline=None)
@given(
    networks_of_domus=st.lists(
        st.lists(st.sampled_from("lmr"), unique=True), min_size=1, max_size=4
    ),
    forwarding=st.booleans(),
)
def test_every_link_has_its_way_back(networks_of_domus: list[list[str]], forwarding: bool) -> None:
    domus = ", ".join(
        f"d{number}: {{vifs: [{', '.join(f'{{network: {name}}}' for name in names)}]}}"
        for number, names in enumerate(networks_of_domus)
    )
    links = plan_of(
        f"{{networks: {{l: , m: , r: }}, dom0: {{forwarding: {str(forwarding).lower()}}},"
        f" domus: {{{domus}}}}}"
    ).links()
    ways = {(link.source_address4, link.sink_address4) for link in links}
    assert len(ways) == len(links)
    assert ways == {(sink, source) for source, sink in ways}


def test_link_over_a_wire_of_a_driver_domains_has_that_one_as_its_backend() -> None:
    links = plan_lab(load_topology("iommu-i7")).uplink_links()
    assert ends(links) == [("app", "peer"), ("peer", "app"), ("netvm", "peer"), ("peer", "netvm")]
    assert {link.backends for link in links} == {("netvm",)}
    assert links[2].source_device == "br-lan"


def test_links_over_the_wire_go_both_ways_to_each_domain_on_its_network() -> None:
    plan = plan_of(
        "{machine: {nic: {network: r, model: virtio}}, networks: {l: , r: {mtu: 1400}},"
        " domus: {a: {vifs: [{network: r}]}, b: {vifs: [{network: l}]}}}"
    )
    links = plan.uplink_links()
    assert ends(links) == [("dom0", "peer"), ("peer", "dom0"), ("a", "peer"), ("peer", "a")]
    assert {link.mtu_bytes for link in links} == {1400}
    assert {link.sink_device for link in links if link.sink == "peer"} == {"uplink"}
    assert not any("peer" in end for end in ends(plan.links()))
    assert plan_lab(load_topology("pair")).uplink_links() == ()
