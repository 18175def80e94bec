"""Packets of exactly known layout through a real netfront and netback, and every fault among them.

The module is built for the lab's own kernel and loaded in dom0 and both domUs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from xenlab.errors import CommandFailed
from xenlab.lab import Lab
from xenlab.plan.links import Link
from xenlab.plan.model import DOM0
from xenlab.slots.layout import Checksum, Frag, Layout, Protocol
from xenlab.traffic.composer import wire
from xenlab.traffic.composer.batch import Batch, Order, Way
from xenlab.traffic.composer.delivery import Delivery, Fate, deliver_batch
from xenlab.traffic.composer.module import NAME, STATE, read_state
from xenlab.traffic.composer.receiver import Post
from xenlab.traffic.composer.route import flow_of, sink_device_of, way_of
from xenlab.traffic.composer.sender import send_batch
from xenlab.traffic.composer.wire import ArrivalFlag, End, Mode, Plant, SentFlag
from xenlab.traffic.kernel_module import build_modules, module_loaded
from xenlab.traffic.plant import PlantKind, planting

BUDGET_S = 60.0
NETFRONT_SLOTS_MAX = 18
FIRST_ID = 2**40 + 77
PIECES = {
    1: Frag(order=0, offset_bytes=0, size_bytes=100),
    2: Frag(order=3, offset_bytes=4095, size_bytes=2),
    3: Frag(order=3, offset_bytes=4095, size_bytes=4098),
}


def layout_of(slots: int, protocol: Protocol = Protocol.UDP4) -> Layout:
    """A layout of 1 to 51 slots; the last one is the worst case of 65,535 bytes and 17 frags."""
    linear_bytes = max(70, protocol.header_bytes)
    if slots < 3:
        frags = (PIECES[1],) * (slots - 1)
        return Layout(
            linear_bytes=linear_bytes, linear_offset_bytes=0, frags=frags, protocol=protocol
        )
    # Over 17 frags of one to three slots, behind a linear part that crosses a page.
    counts = [1] * min(17, slots - 2)
    for index in range(slots - 2 - len(counts)):
        counts[index % 15 if slots == 51 and index >= 17 else index % 17] += 1
    frags = tuple(PIECES[count] for count in counts)
    return Layout(
        linear_bytes=linear_bytes, linear_offset_bytes=4061, frags=frags, protocol=protocol
    )


SWEEP = tuple(
    Order(layout=layout_of(slots, protocol)) for protocol in Protocol for slots in range(1, 52)
)


@pytest.fixture(scope="module", autouse=True)
def composer(opened: Lab) -> Iterator[None]:
    """The module in every node; taken out again, which it refuses while anything is out."""
    with ExitStack() as nodes:
        for node, module in build_modules(opened, NAME, opened.plan.node_names).items():
            nodes.enter_context(module_loaded(opened, node, NAME, module))
        yield
        for node in opened.plan.node_names:
            state = read_state(opened.shell(node), opened.budget(BUDGET_S))
            assert (state.outstanding_skbs, state.outstanding_pages) == (0, 0), node


def link_of(lab: Lab, source: str, sink: str) -> Link:
    return next(link for link in lab.plan.links() if (link.source, link.sink) == (source, sink))


def deliver(lab: Lab, link: Link, orders: tuple[Order, ...], mode: Mode = Mode.DIRECT) -> Delivery:
    batch = Batch(
        orders=orders, flow=flow_of(link), way=way_of(lab, link, mode), seed=3, first_id=FIRST_ID
    )
    post = Post(device=sink_device_of(lab, link), copies=60)
    source, sink = lab.shell(link.source), lab.shell(link.sink)
    return deliver_batch(source, sink, batch, post, lab.budget(BUDGET_S))


def incomplete(delivery: Delivery) -> list[str]:
    return [str(fate.layout) for fate in delivery.fates if not fate.complete]


@pytest.mark.parametrize("mode", list(Mode))
def test_stock_netfront_linearises_what_is_over_18_slots_and_nothing_else(
    opened: Lab, mode: Mode
) -> None:
    delivery = deliver(opened, link_of(opened, "alice", DOM0), SWEEP, mode)
    fates = list(delivery.fates)

    assert incomplete(delivery) == []
    assert delivery.arrival_report.end is End.COMPLETE
    slots = [slots for _protocol in Protocol for slots in range(1, 52)]
    assert [fate.sent.linearised for fate in fates] == [each > NETFRONT_SLOTS_MAX for each in slots]
    for fate in fates:
        assert fate.sent.flags & SentFlag.COMPLETED
        if not fate.sent.linearised:
            assert fate.sent.held_frags == len(fate.layout.frags)


@pytest.mark.parametrize("mode", list(Mode))
def test_every_layout_arrives_in_a_guest(opened: Lab, mode: Mode) -> None:
    delivery = deliver(opened, link_of(opened, DOM0, "alice"), SWEEP, mode)

    assert incomplete(delivery) == []


def test_netback_copies_128_bytes_and_maps_the_rest(opened: Lab) -> None:
    orders = tuple(Order(layout=layout_of(slots)) for slots in (1, 2, 17))

    fates = list(deliver(opened, link_of(opened, "alice", DOM0), orders).fates)

    assert [fate.arrivals[0].headlen_bytes for fate in fates] == [70, 128, 128]
    assert [fate.arrivals[0].listed for fate in fates] == [0, 0, 0]


def test_gso_arrives_whole_and_where_it_must_not_in_segments_that_make_it_up(opened: Lab) -> None:
    link = link_of(opened, "bob", "alice")
    orders = tuple(
        Order(
            layout=Layout(
                linear_bytes=protocol.header_bytes + 20, linear_offset_bytes=100,
                gso_size_bytes=1000, protocol=protocol,
                frags=(Frag(order=3, offset_bytes=5000, size_bytes=4980),),
            )
        )
        for protocol in (Protocol.TCP4, Protocol.TCP6)
    )  # fmt: skip

    whole = list(deliver(opened, link, orders).fates)
    assert [fate.complete for fate in whole] == [True, True]
    assert [fate.arrivals[0].gso_size_bytes for fate in whole] == [1000, 1000]

    bob = opened.shell("bob")
    bob.run(["ethtool", "-K", "eth0", "tso", "off"], deadline=opened.budget(BUDGET_S))
    try:
        parts = list(deliver(opened, link, orders, Mode.REAL).fates)
    finally:
        bob.run(["ethtool", "-K", "eth0", "tso", "on"], deadline=opened.budget(BUDGET_S))
    assert [fate.complete for fate in parts] == [True, True]
    assert parts[0].sent.flags & SentFlag.IN_CALL


def test_headers_may_lie_in_any_piece_and_any_checksum_holds(opened: Lab) -> None:
    tail = (Frag(order=1, offset_bytes=4090, size_bytes=100),)
    orders = tuple(
        Order(
            layout=Layout(
                linear_bytes=linear, linear_offset_bytes=offset, frags=tail, protocol=protocol,
                checksum=checksum,
            )
        )
        for protocol in Protocol
        for checksum in Checksum
        for linear in (14, 15, 33, 42, 54, 74, 90, 127, 128, 129)
        for offset in (0, 4082, 4083, 4095)
    )  # fmt: skip

    assert incomplete(deliver(opened, link_of(opened, "alice", DOM0), orders)) == []


def test_short_packets_are_known_by_their_headers(opened: Lab) -> None:
    orders = tuple(
        Order(layout=Layout(linear_bytes=protocol.header_bytes + more, linear_offset_bytes=64,
                            protocol=protocol))
        for protocol in Protocol for more in range(wire.MARK_BYTES + 1)
    )  # fmt: skip

    delivery = deliver(opened, link_of(opened, "alice", DOM0), orders)

    assert incomplete(delivery) == []
    assert [bool(fate.arrivals[0].flags & ArrivalFlag.SHORT_ID) for fate in delivery.fates] == [
        more < wire.MARK_BYTES for _protocol in Protocol for more in range(wire.MARK_BYTES + 1)
    ]


def test_header_that_is_at_a_pages_end_after_the_bounce_too_is_lost(opened: Lab) -> None:
    """The bounce_skb() of netfront keeps the headroom, so it may not help; netback wants 14 bytes.

    drivers/net/xen-netfront.c:760 and 676, drivers/net/xen-netback/netback.c:1009 (6.1.192).
    """
    link = link_of(opened, "alice", DOM0)
    offsets = (4082, 4083, 4095)
    orders = tuple(
        Order(layout=Layout(linear_bytes=200, linear_offset_bytes=offset)) for offset in offsets
    )

    def missing(headroom_bytes: int) -> list[bool]:
        way = Way(device="eth0", headroom_bytes=headroom_bytes)
        batch = Batch(orders=orders, flow=flow_of(link), way=way)
        post = Post(device=sink_device_of(opened, link))
        ends = opened.shell("alice"), opened.shell(DOM0)
        delivery = deliver_batch(*ends, batch, post, opened.budget(BUDGET_S))
        return [fate.missing for fate in delivery.fates]

    assert missing(64) == [False, False, False]
    assert missing(wire.HEADROOM_PAGE) == [False, True, True]


def test_planted_faults_are_each_named_and_nothing_else_is(opened: Lab) -> None:
    well = Order(layout=layout_of(5))
    bad_byte = Order(layout=layout_of(5), plant=Plant.CORRUPT, plant_offset_bytes=100)
    bad_mark = Order(layout=layout_of(40), plant=Plant.CORRUPT, plant_offset_bytes=3)
    twice = Order(layout=layout_of(5), plant=Plant.DUPLICATE)
    never = Order(layout=layout_of(5), plant=Plant.OMIT)

    orders = (well, bad_byte, bad_mark, twice, never, well)
    delivery = deliver(opened, link_of(opened, "alice", DOM0), orders)
    fates = list(delivery.fates)

    assert [fate.complete for fate in fates] == [True, False, False, False, False, True]
    assert fates[1].arrivals[0].flags == ArrivalFlag.BAD_PAYLOAD
    assert fates[1].arrivals[0].first_bad == 100
    assert fates[2].arrivals[0].flags == ArrivalFlag.BAD_MARK
    assert [arrival.duplicate for arrival in fates[3].arrivals] == [False, True]
    assert fates[4].missing
    assert fates[4].sent.flags == SentFlag.OMITTED


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        (PlantKind.DROP, lambda fate: fate.missing),
        (PlantKind.SILENT_DROP, lambda fate: fate.missing),
        (PlantKind.CORRUPT, lambda fate: not fate.missing and not fate.arrivals[0].intact),
        (PlantKind.DUPLICATE, lambda fate: fate.duplicated),
    ],
)
@pytest.mark.parametrize("sink", [DOM0, "bob"])
def test_faults_on_the_way_are_found_in_the_packet_they_hit(
    opened: Lab, kind: PlantKind, seen: object, sink: str
) -> None:
    assert callable(seen)
    link = link_of(opened, "alice", sink)

    with planting(opened, link, kind, every=100):
        delivery = deliver(opened, link, (Order(layout=layout_of(14), repeat=300),))
    hit: list[Fate] = [fate for fate in delivery.fates if not fate.complete]

    assert 1 <= len(hit) <= 3
    assert all(seen(fate) for fate in hit)


def test_vif_that_is_filled_without_a_window_drops_and_that_is_told(opened: Lab) -> None:
    link = link_of(opened, DOM0, "alice")
    way = Way(device=opened.vif("alice", 0))
    batch = Batch(orders=(Order(layout=layout_of(50), repeat=400),), flow=flow_of(link), way=way)

    delivery = deliver_batch(
        opened.shell(DOM0), opened.shell("alice"), batch, Post(device="eth0"),
        opened.budget(BUDGET_S),
    )  # fmt: skip

    assert not all(fate.sent.accepted for fate in delivery.fates)
    assert [fate.missing for fate in delivery.fates] == [
        not fate.sent.accepted for fate in delivery.fates
    ]


def test_bad_batch_is_refused_as_a_whole_and_says_which_record(opened: Lab) -> None:
    link = link_of(opened, "alice", DOM0)
    beyond = Order(layout=layout_of(1), plant=Plant.CORRUPT, plant_offset_bytes=60000)
    batch = Batch(orders=(Order(layout=layout_of(1)), beyond), flow=flow_of(link),
                  way=way_of(opened, link))  # fmt: skip

    with pytest.raises(CommandFailed, match="record 1: byte 60000 to corrupt is not in its"):
        send_batch(opened.shell("alice"), batch, opened.budget(BUDGET_S))


def test_device_that_is_not_there_is_named(opened: Lab) -> None:
    link = link_of(opened, "alice", DOM0)
    batch = Batch(orders=(Order(layout=layout_of(1)),), flow=flow_of(link), way=Way(device="eth7"))

    with pytest.raises(CommandFailed, match="no device eth7"):
        send_batch(opened.shell("alice"), batch, opened.budget(BUDGET_S))
    assert opened.shell("alice").read_file(STATE, deadline=opened.budget(BUDGET_S))
