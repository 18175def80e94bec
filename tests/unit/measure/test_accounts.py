"""Paths and accounts: which counters a packet passes, and where the missing ones are looked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.measure.accounts import (
    ALICE,
    BOB,
    DOM0,
    FAR_BOB,
    PEER,
    ROUTER,
    deltas,
    deltas_along,
    through,
)
from xenlab.errors import MeasurementError
from xenlab.measure.attachment import Attachment
from xenlab.measure.counters import CounterDelta, CounterSnapshot
from xenlab.measure.hops import account_hops, find_vanished
from xenlab.measure.path import build_path


def points(source: Attachment, sink: Attachment, *router: Attachment) -> list[str]:
    legs = build_path(source, sink, router).legs
    ends = [legs[0].start, *(leg.end for leg in legs)]
    return [f"{point} {point.side}" for point in ends]


def test_path_between_two_domus_on_one_bridge() -> None:
    assert points(ALICE, BOB) == [
        "alice eth0 tx_packets",
        "vif1.0 rx_packets",
        "vif2.0 tx_packets",
        "bob eth0 rx_packets",
    ]


def test_path_from_dom0_begins_at_the_bridge_device() -> None:
    assert points(DOM0, ALICE) == [
        "br-lan tx_packets",
        "vif1.0 tx_packets",
        "alice eth0 rx_packets",
    ]


def test_path_to_dom0_ends_at_the_bridge_device() -> None:
    assert points(ALICE, DOM0) == [
        "alice eth0 tx_packets",
        "vif1.0 rx_packets",
        "br-lan rx_packets",
    ]


def test_path_through_the_router_counts_at_both_bridges() -> None:
    assert points(ALICE, FAR_BOB, *ROUTER) == [
        "alice eth0 tx_packets",
        "vif1.0 rx_packets",
        "br-lan rx_packets",
        "br-right tx_packets",
        "vif2.0 tx_packets",
        "bob eth0 rx_packets",
    ]


APP = Attachment(node="app", device="eth0", bridge="br-inner", vif="vif1.0", backend="firewall")
FAR_PEER = Attachment(node="peer", device="eth0", bridge="br-outer", vif="vif4.0", backend="netvm")
FIREWALL = (
    Attachment(node="firewall", device="br-inner", bridge="br-inner", backend="firewall"),
    Attachment(node="firewall", device="eth0", bridge="br-outer", vif="vif2.0", backend="netvm"),
)
NETVM = Attachment(node="netvm", device="br-outer", bridge="br-outer", backend="netvm")


def test_path_by_driver_domains_counts_there_and_not_in_dom0() -> None:
    assert points(APP, FAR_PEER, *FIREWALL) == [
        "app eth0 tx_packets",
        "firewall vif1.0 rx_packets",
        "firewall br-inner rx_packets",
        "firewall eth0 tx_packets",
        "netvm vif2.0 rx_packets",
        "netvm vif4.0 tx_packets",
        "peer eth0 rx_packets",
    ]
    assert points(APP, NETVM, *FIREWALL)[-2:] == [
        "netvm vif2.0 rx_packets",
        "netvm br-outer rx_packets",
    ]
    path = build_path(APP, FAR_PEER, FIREWALL)
    assert path.nodes == ("app", "firewall", "netvm", "peer")
    back = [str(leg.end) for leg in path.back.legs]
    assert back[1:] == ["netvm vif2.0", "firewall eth0", "firewall br-inner", "firewall vif1.0",
                        "app eth0"]  # fmt: skip


def test_router_with_a_netfront_that_discards_names_itself_either_way() -> None:
    path = build_path(APP, FAR_PEER, FIREWALL)
    counted = {f"{point.node} {point.device} {point.side}": 10 for point in (
        *(leg.start for leg in path.legs), path.legs[-1].end)}  # fmt: skip
    for late in ("firewall eth0", "netvm vif4.0", "peer eth0"):
        counted |= {key: 7 for key in counted if key.startswith(late)}
    counted["netvm vif2.0 rx_packets"] = 7
    silent = account_hops(path, deltas_along(path, counted)).hops[2]
    assert (silent.lost, silent.silent) == (3, 3)
    told = account_hops(path, deltas_along(path, counted | {"firewall IpOutNoRoutes": 3})).hops[2]
    assert (told.lost, told.silent) == (3, 0)
    back = {f"{leg.start.node} {leg.start.device} {leg.start.side}": 10 for leg in path.back.legs}
    back |= {"firewall br-inner tx_packets": 8, "firewall vif1.0 tx_packets": 8}
    back |= {"app eth0 rx_packets": 8, "firewall IpInHdrErrors": 2}
    account = account_hops(path.back, deltas_along(path, back))
    assert [(hop.lost, hop.silent) for hop in account.hops] == [
        (0, 0), (0, 0), (0, 0), (2, 0), (0, 0), (0, 0)
    ]  # fmt: skip


def test_path_over_the_wire_counts_at_both_nics() -> None:
    assert points(ALICE, PEER) == [
        "alice eth0 tx_packets",
        "vif1.0 rx_packets",
        "uplink tx_packets",
        "peer uplink rx_packets",
    ]
    assert points(PEER, ALICE) == [
        "peer uplink tx_packets",
        "uplink rx_packets",
        "vif1.0 tx_packets",
        "alice eth0 rx_packets",
    ]
    assert points(DOM0, PEER) == [
        "br-lan tx_packets",
        "uplink tx_packets",
        "peer uplink rx_packets",
    ]
    assert build_path(ALICE, PEER).nodes == ("alice", "dom0", "peer")


def test_path_over_a_wire_of_a_driver_domains_counts_there_and_streams_are_cut_there() -> None:
    app = replace(APP, backend="netvm")
    path = build_path(app, replace(PEER, backend="netvm"))
    counted = {
        "app eth0 tx_packets": 10,
        "netvm vif1.0 rx_packets": 10,
        "netvm uplink tx_packets": 120,
        "peer uplink rx_packets": 120,
    }
    account = account_hops(path, deltas_along(path, counted), streams=True)
    assert [str(hop.end) for hop in account.hops] == [
        "netvm vif1.0", "netvm uplink", "peer uplink"
    ]  # fmt: skip
    assert account.balanced
    fewer = counted | {"netvm uplink tx_packets": 9, "peer uplink rx_packets": 9}
    lossy = account_hops(path, deltas_along(path, fewer), streams=True)
    assert [(str(hop.start), hop.silent) for hop in lossy.hops if hop.lost] == [("netvm vif1.0", 1)]


def over_the_wire(vif: int, nic: int, peer: int) -> dict[str, int]:
    return {
        "alice eth0 tx_packets": vif,
        "dom0 vif1.0 rx_packets": vif,
        "dom0 uplink tx_packets": nic,
        "peer uplink rx_packets": peer,
    }


def test_loss_on_the_wire_is_told_apart_from_loss_in_dom0() -> None:
    path = build_path(ALICE, PEER)
    on_wire = account_hops(path, deltas(ALICE, PEER, over_the_wire(100, 100, 97)))
    assert [(str(hop.end), hop.silent) for hop in on_wire.hops if hop.lost] == [("peer uplink", 3)]
    in_dom0 = account_hops(path, deltas(ALICE, PEER, over_the_wire(100, 98, 98)))
    assert [(str(hop.end), hop.silent) for hop in in_dom0.hops if hop.lost] == [("uplink", 2)]


def test_what_a_nic_missed_explains_a_loss() -> None:
    counted = over_the_wire(100, 100, 97) | {"peer uplink rx_missed_errors": 3}
    last = account_hops(build_path(ALICE, PEER), deltas(ALICE, PEER, counted)).hops[-1]
    assert (last.lost, last.explained, last.silent) == (3, 3, 0)


def test_packets_of_a_stream_are_cut_before_the_wire_and_nowhere_else() -> None:
    path = build_path(ALICE, PEER)
    cut = deltas(ALICE, PEER, over_the_wire(10, 120, 120))
    assert account_hops(path, cut, streams=True).balanced
    assert not account_hops(path, cut).balanced
    fewer = deltas(ALICE, PEER, over_the_wire(10, 9, 9))
    assert account_hops(path, fewer, streams=True).hops[1].silent == 1
    more = deltas(ALICE, PEER, over_the_wire(10, 120, 121))
    assert account_hops(path, more, streams=True).hops[-1].surplus == 1
    back = deltas(
        PEER,
        ALICE,
        {
            "peer uplink tx_packets": 120,
            "dom0 uplink rx_packets": 120,
            "dom0 vif1.0 tx_packets": 119,
            "alice eth0 rx_packets": 119,
        },
    )
    assert account_hops(build_path(PEER, ALICE), back, streams=True).hops[1].silent == 1


def test_path_names_the_nodes_to_ask_each_once() -> None:
    assert build_path(ALICE, BOB).nodes == ("alice", "dom0", "bob")
    assert build_path(DOM0, ALICE).nodes == ("dom0", "alice")


def test_nothing_can_name_a_drop_between_netfront_and_netback() -> None:
    first = build_path(ALICE, BOB).legs[0]
    assert first.drop_counters == ()


def test_account_in_which_all_add_up_is_balanced() -> None:
    account = account_hops(build_path(ALICE, BOB), deltas(ALICE, BOB, through(4000)))
    assert account.balanced
    assert (account.packets_in, account.packets_out) == (4000, 4000)


def test_loss_without_a_drop_counter_is_silent() -> None:
    account = account_hops(build_path(ALICE, BOB), deltas(ALICE, BOB, through(4000, vif2=3988)))
    _, bridge, last = account.hops
    assert (bridge.lost, bridge.explained, bridge.silent) == (12, 0, 12)
    assert last.lost == 0
    assert not account.balanced


@pytest.mark.parametrize(
    "place", ["dom0 vif2.0 tx_dropped", "dom0 vif2.0 rx_dropped", "dom0 vif1.0 qdisc_drops"]
)
def test_loss_that_a_named_place_admits_to_is_explained(place: str) -> None:
    counted = through(4000, vif2=3988) | {place: 10}
    bridge = account_hops(build_path(ALICE, BOB), deltas(ALICE, BOB, counted)).hops[1]
    assert (bridge.lost, bridge.explained, bridge.silent) == (12, 10, 2)
    assert [str(drop) for drop in bridge.drops] == [f"{place} 10"]


def test_drops_of_others_explain_no_more_than_was_lost() -> None:
    counted = through(4000, vif2=3999) | {"dom0 vif2.0 tx_dropped": 50}
    bridge = account_hops(build_path(ALICE, BOB), deltas(ALICE, BOB, counted)).hops[1]
    assert (bridge.lost, bridge.explained, bridge.silent) == (1, 1, 0)


def test_errors_of_the_last_netfront_are_at_the_last_hop() -> None:
    counted = through(10, bob=7) | {"bob eth0 rx_errors": 3}
    last = account_hops(build_path(ALICE, BOB), deltas(ALICE, BOB, counted)).hops[2]
    assert (last.lost, last.silent) == (3, 0)


def test_router_that_discards_names_itself() -> None:
    counted = {
        "alice eth0 tx_packets": 10,
        "dom0 vif1.0 rx_packets": 10,
        "dom0 br-lan rx_packets": 10,
        "dom0 br-right tx_packets": 8,
        "dom0 vif2.0 tx_packets": 8,
        "bob eth0 rx_packets": 8,
        "dom0 IpInHdrErrors": 2,
    }
    path = build_path(ALICE, FAR_BOB, ROUTER)
    account = account_hops(path, deltas_along(path, counted))
    assert [hop.lost for hop in account.hops] == [0, 0, 2, 0, 0]
    assert account.hops[2].silent == 0


def test_more_packets_than_went_in_are_a_surplus() -> None:
    account = account_hops(build_path(ALICE, BOB), deltas(ALICE, BOB, through(10, vif2=13)))
    assert [hop.surplus for hop in account.hops] == [0, 3, 0]
    assert not account.balanced


def test_counter_that_is_absent_is_an_error_and_not_zero() -> None:
    found = deltas(ALICE, BOB, through(10))
    empty = CounterSnapshot(node="bob", devices={"eth0": {}}, protocols={})
    found["bob"] = CounterDelta(before=empty, after=empty)
    with pytest.raises(MeasurementError, match="bob eth0 does not count rx_packets"):
        account_hops(build_path(ALICE, BOB), found)


def test_hops_to_a_device_that_vanished_are_left_out() -> None:
    found = deltas(ALICE, BOB, through(10))
    dom0 = found["dom0"]
    devices = {name: table for name, table in dom0.after.devices.items() if name != "vif1.0"}
    after = CounterSnapshot(node="dom0", devices=devices, protocols=dom0.after.protocols)
    found["dom0"] = CounterDelta(before=dom0.before, after=after)
    path = build_path(ALICE, BOB)

    assert find_vanished(path, found) == (("dom0", "vif1.0"),)
    assert [str(hop.end) for hop in account_hops(path, found).hops] == ["bob eth0"]
