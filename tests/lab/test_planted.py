"""One fault at each hop, for real, in a lab: each gives its verdict, and the hop and the packet.

In a lab of this file's own, whose netback makes faults of its own: the series netback-faults. The
places in their order are alice's kernel, the ring, vif1.0, the bridge, vif2.0, the ring, bob.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import pytest

from tests.lab.conftest import Xenlab
from xenlab.lab import Lab
from xenlab.measure.flow import FlowSpec, Transport
from xenlab.measure.layouts import Landing, LayoutRun
from xenlab.plan.links import DOM0, Link
from xenlab.slots.layout import Frag, Layout
from xenlab.traffic.layouts import composers_loaded, send_layouts
from xenlab.traffic.measuring import measure_link
from xenlab.traffic.plant import PlantKind, Site, plant_at, planting
from xenlab.verdict.layouts import REASONS_MAX, judge_layouts
from xenlab.verdict.loss import judge_loss
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.payload import judge_order
from xenlab.verdict.steady import judge_steady
from xenlab.waiting import Deadline

LAB = "planted"
BUDGET_S = 60.0
PARAMETERS = "/sys/module/xen_netback/parameters"
LAYOUT = Layout(linear_bytes=150, linear_offset_bytes=0,
                frags=(Frag(order=0, offset_bytes=0, size_bytes=100),))  # fmt: skip
PACKETS = 400
HIT = 301
MANY = 100_000
STALL_S = 6.0
STALLED = 20_000  # on their way for longer than it takes to stop a vif
GONE = "did not arrive"
PACKET = re.compile(r"packet (\d+), `.*` \(\d+ slots\) must be intact, and (.*)")
SEED = 7
STREAM = (100_000,) * 20

# $1: which packet, $2: what is done with it.
BRIDGE_RULE = """
modprobe -a nf_tables nft_numgen
nft -f - <<END
table bridge planted {
        chain forward {
                type filter hook forward priority 0
                numgen inc mod 1000000 == $(($1 - 1)) $2
        }
}
END
"""
DROP = "drop"
# A byte of the payload, from the IP header on.
ALTERED = 80
ALTER = f"@nh,{8 * ALTERED},8 set @nh,{8 * ALTERED},8 xor 0xff"

# $1: a counter, $2: how many packets to let through, $3: seconds; then what stops and goes on.
STALL = """
read first <"$1" && now=$first && echo armed
while [ $((now - first)) -lt "$2" ]; do read now <"$1"; done
$4
sleep "$3"
$5
"""

Planting = Callable[[Lab, int], AbstractContextManager[None]]


@pytest.fixture(scope="module")
def opened(xenlab: Xenlab) -> Iterator[Lab]:
    with xenlab.bring_up(LAB, "--netback", "netback-faults") as opened:
        yield opened


@pytest.fixture(scope="module")
def link(opened: Lab) -> Iterator[Link]:
    """From alice to bob, with a composer at both ends."""
    link = link_of(opened, "alice", "bob")
    opened.restore_silence()
    with composers_loaded(opened, link):
        yield link


def link_of(lab: Lab, source: str, sink: str) -> Link:
    return next(link for link in lab.plan.links() if (link.source, link.sink) == (source, sink))


def driver(parameter: str) -> Planting:
    """A fault of netback's own; that it was made is seen in the parameter."""

    @contextmanager
    def plant(lab: Lab, hit: int) -> Iterator[None]:
        shell, path = lab.shell(DOM0), f"{PARAMETERS}/{parameter}"
        set_parameter = ["sh", "-c", 'echo "$1" >"$2"', "sh"]
        shell.run([*set_parameter, str(hit), path], deadline=budget(lab)).require_success()
        try:
            yield
            assert shell.read_file(path, deadline=budget(lab)).strip() == b"0"
        finally:
            shell.run([*set_parameter, "0", path], deadline=budget(lab)).require_success()

    return plant


def bridge(what: str) -> Planting:
    """A rule of nft on what dom0's bridge forwards."""

    @contextmanager
    def plant(lab: Lab, hit: int) -> Iterator[None]:
        shell = lab.shell(DOM0)
        argv = ["sh", "-c", BRIDGE_RULE, "sh", str(hit), what]
        shell.run(argv, deadline=budget(lab)).require_success()
        try:
            yield
        finally:
            undo = ["nft", "delete", "table", "bridge", "planted"]
            shell.run(undo, deadline=budget(lab)).require_success()

    return plant


def filter_at(node: str, hook: str, kind: PlantKind) -> Planting:
    """A filter of tc at the device of a domU, in dom0 at the `vif of` a domU, or at its bridge."""

    def plant(lab: Lab, hit: int) -> AbstractContextManager[None]:
        site = Site(device="eth0", hook=hook, node=node)
        if node == DOM0:
            site = Site(device="br-lan", hook=hook)
        if node.startswith("vif of "):
            site = Site(device=lab.vif(node.removeprefix("vif of "), 0), hook=hook)
        return plant_at(lab, site, kind, hit)

    return plant


def budget(lab: Lab) -> Deadline:
    return lab.budget(BUDGET_S)


def send_with(lab: Lab, link: Link, packets: int, *faults: tuple[Planting, int]) -> LayoutRun:
    """Packets from alice to bob while every fault waits for its own: the one of that number."""
    with ExitStack() as stack:
        for planting_of_it, hit in faults:
            stack.enter_context(planting_of_it(lab, hit))
        return send_layouts(lab, link, (LAYOUT,) * packets, seed=SEED)


def tell(lab: Lab, run: LayoutRun) -> tuple[list[tuple[int, str]], list[str]]:
    """What a verdict says: of packets by their number, and of their way with alice's vif as A."""
    verdict = judge_layouts(run)
    assert verdict.outcome is Outcome.FAIL
    found = [PACKET.fullmatch(reason) for reason in verdict.reasons]
    way = [reason for reason, match in zip(verdict.reasons, found, strict=True) if match is None]
    again = [reason for reason in way if reason.startswith("again: `xenlab test slots ")]
    assert len(again) == bool(verdict.layouts)
    way = [reason for reason in way if reason not in again]
    names = ((lab.vif("alice", 0), "A"), (lab.vif("bob", 0), "B"))
    for vif, name in names:
        way = [reason.replace(vif, name) for reason in way]
    return [(int(match[1]), match[2]) for match in found if match], way


def hit_in_turn(*hits: int) -> list[int]:
    """Which packets are lost if the n-th that comes to each place is, one place behind another."""
    left = list(range(max(hits) + len(hits)))
    return [left.pop(hit - 1) for hit in hits]


def test_one_packet_of_a_hundred_thousand_is_missed_at_each_place(opened: Lab, link: Link) -> None:
    hits = (95_000, 52_000, 85_000, 56_000, 75_000, 61_000)
    places = (
        driver("lose_from_guest"),
        filter_at("vif of alice", "ingress", PlantKind.DROP),
        bridge(DROP),
        filter_at("vif of bob", "egress", PlantKind.SILENT_DROP),
        driver("lose_to_guest"),
        filter_at("bob", "ingress", PlantKind.DROP),
    )

    run = send_with(opened, link, MANY, *zip(places, hits, strict=True))

    packets, way = tell(opened, run)
    assert packets == [(index, GONE) for index in sorted(hit_in_turn(*hits))]
    assert way == [
        "silent loss between alice eth0 and A: 1 of 100000 packets",
        "silent loss between A and B: 2 of 99999 packets",
        "loss at dom0 A qdisc_drops 1",
        "silent loss between B and bob eth0: 1 of 99996 packets",
        "loss at bob eth0 qdisc_drops 1",
    ]


def test_losses_are_silent_where_nobody_counts_them_and_else_have_a_name(
    opened: Lab, link: Link
) -> None:
    hits = (210, 300, 390)  # tc hits again after as many
    places = (
        filter_at("vif of alice", "ingress", PlantKind.SILENT_DROP),
        filter_at("vif of bob", "egress", PlantKind.DROP),
        filter_at("bob", "ingress", PlantKind.SILENT_DROP),
    )

    run = send_with(opened, link, PACKETS, *zip(places, hits, strict=True))

    packets, way = tell(opened, run)
    assert packets == [(index, GONE) for index in hit_in_turn(*hits)]
    assert way == [
        "silent loss between A and B: 1 of 400 packets",
        "loss at dom0 B qdisc_drops 1",
        "silent loss between bob eth0 and its receiver: 1 of 398 packets",
    ]


def test_one_byte_changed_at_each_place_is_told_with_its_packet(opened: Lab, link: Link) -> None:
    places = (
        driver("alter_from_guest"),
        filter_at("vif of alice", "ingress", PlantKind.CORRUPT),
        bridge(ALTER),
        filter_at("vif of bob", "egress", PlantKind.CORRUPT),
        driver("alter_to_guest"),
        filter_at("bob", "ingress", PlantKind.CORRUPT),
    )
    hits = range(PACKETS - len(places), PACKETS)

    packets, way = tell(opened, send_with(opened, link, PACKETS, *zip(places, hits, strict=True)))

    assert way == []
    assert [index for index, _seen in packets] == [hit - 1 for hit in hits]
    # tc and nft count from the IP header on; netback has 128 bytes in a head.
    tc, nft, netback = 100 - 28, ALTERED - 28, 127 - 42
    assert [seen for _index, seen in packets] == [
        f"arrived damaged, first in byte {byte} of its payload"
        for byte in (netback, tc, nft, tc, netback, tc)
    ]


def test_packet_made_twice_is_told_with_its_hop(opened: Lab, link: Link) -> None:
    twice = PlantKind.DUPLICATE
    for node, hook in (("vif of alice", "ingress"), ("vif of bob", "egress")):
        run = send_with(opened, link, PACKETS, (filter_at(node, hook, twice), 301))

        assert tell(opened, run) == (
            [(300, "arrived more than once")], ["1 packets more at B than at A (400)"]
        )  # fmt: skip


def test_counter_that_lies_by_one_is_told_as_that(opened: Lab, link: Link) -> None:
    lies = ((driver("miscount_from_guest"), 100), (driver("miscount_to_guest"), 200))

    assert tell(opened, send_with(opened, link, PACKETS, *lies)) == (
        [],
        [
            "A counted 401 rx_packets, and 400 passed it: its counter lies",
            "B counted 401 tx_packets, and 400 passed it: its counter lies",
        ],
    )


def test_packet_that_overtakes_others_is_told_by_those_behind_it(opened: Lab, link: Link) -> None:
    with planting(opened, link, PlantKind.REORDER, every=HIT):
        run = send_layouts(opened, link, (LAYOUT,) * PACKETS, seed=SEED)

    landings = enumerate(sighting.landing for sighting in run.sightings)
    late = [index for index, landing in landings if landing is Landing.LATE]
    assert late == list(range(late[0], HIT - 1))
    packets, way = tell(opened, run)
    assert packets[0] == (late[0], "arrived behind a later packet")
    assert len(packets) == min(len(late), REASONS_MAX)
    assert [reason for reason in way if "more layouts" not in reason] == []


@pytest.mark.parametrize("stalled", ["the vif of alice", "the vif of bob"])
def test_vif_that_stalls_for_two_seconds_does_not_pass(
    opened: Lab, link: Link, stalled: str
) -> None:
    """It fails where no more than a second of it may be the host's, and says how much may be."""
    verdict = judge_steady(stall(opened, link, stalled, 2.0))

    assert verdict.outcome in {Outcome.FAIL, Outcome.INCONCLUSIVE}
    (reason,) = verdict.reasons
    found = re.match(r"nothing came to bob for ([\d.]+) s before .* up to ([\d.]+) s", reason)
    assert found
    silence_s, host_s = map(float, found.groups())
    assert silence_s >= 1.9
    assert (verdict.outcome is Outcome.FAIL) == (silence_s - host_s > 1)


@pytest.mark.parametrize("stalled", ["the vif of alice", "the vif of bob"])
def test_vif_that_stalls_is_told_on_a_busy_host_too(opened: Lab, link: Link, stalled: str) -> None:
    """For several times what is allowed, of which a busy host may owe three quarters.

    And for several seconds less than the sender and netback give a guest, 10 s both: a busy host is
    slow to let it go on. It is the same on every host, for neither waits longer on a slow one.
    """
    run = stall(opened, link, stalled, STALL_S)

    if stalled == "the vif of bob":  # a bridge needs a moment to pass what comes from a port again
        assert judge_layouts(run).outcome is Outcome.PASS
    verdict = judge_steady(run)
    assert verdict.outcome is Outcome.FAIL
    (reason,) = verdict.reasons
    found = re.match(r"nothing came to bob for ([\d.]+) s before packet (\d+)", reason)
    assert found
    assert float(found[1]) >= STALL_S - 0.1
    assert 1000 <= int(found[2]) < STALLED - 1


def stall(opened: Lab, link: Link, stalled: str, stall_s: float) -> LayoutRun:
    """Packets while a vif takes none for so long, behind the first thousand."""
    vif = opened.vif("alice", 0)
    stop, go = {
        "the vif of alice": (f"ip link set {vif} down", f"ip link set {vif} up"),
        "the vif of bob": ("xl pause bob", "xl unpause bob"),
    }[stalled]
    counter = f"/sys/class/net/{vif}/statistics/rx_packets"
    argv = ["sh", "-c", STALL, "sh", counter, "1000", f"{stall_s}", stop, go]
    with opened.shell(DOM0).start(argv, deadline=budget(opened)) as stalling:
        stalling.read_line(budget(opened))
        run = send_layouts(opened, link, (LAYOUT,) * STALLED, seed=SEED)
        stalling.wait(budget(opened)).require_success()
    return run


@pytest.mark.parametrize(
    ("nodes", "hook", "reason"),
    [
        (("alice", "bob"), "egress", "loss at alice eth0 filter_drops "),
        (("alice", "bob"), "ingress", "loss at bob eth0 filter_drops "),
        (("alice", DOM0), "ingress", "loss at dom0 br-lan filter_drops "),
    ],
)
def test_packet_lost_between_a_socket_and_its_device_is_told_though_tcp_sends_it_again(
    opened: Lab, nodes: tuple[str, str], hook: str, reason: str
) -> None:
    link = link_of(opened, *nodes)
    lossy = filter_at(nodes[hook == "ingress"], hook, PlantKind.DROP)
    with lossy(opened, 40):
        verdict = judge_loss(measure_link(opened, link, [flow_of(link, Transport.TCP, STREAM)]))

    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons[0].startswith(reason)


def flow_of(link: Link, transport: Transport, sizes_bytes: tuple[int, ...]) -> FlowSpec:
    return FlowSpec(transport=transport, address=link.sink_address4, port=7001, seed=SEED,
                    sizes_bytes=sizes_bytes)  # fmt: skip


def test_segment_that_bob_loses_in_silence_is_known_by_the_gap(opened: Lab) -> None:
    link = link_of(opened, "alice", "bob")
    with filter_at("bob", "ingress", PlantKind.SILENT_DROP)(opened, 40):
        measurement = measure_link(opened, link, [flow_of(link, Transport.TCP, STREAM)])
    verdict = judge_loss(measurement)

    assert verdict.outcome is Outcome.FAIL
    assert "came behind a gap" in verdict.reasons[0]


def test_datagrams_out_of_order_are_told(opened: Lab) -> None:
    link = link_of(opened, "alice", "bob")
    with planting(opened, link, PlantKind.REORDER, every=HIT):
        measurement = measure_link(opened, link, [flow_of(link, Transport.UDP, (1000,) * PACKETS)])

    assert judge_loss(measurement).outcome is Outcome.PASS
    assert judge_order(measurement).outcome is Outcome.FAIL
