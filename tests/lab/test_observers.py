"""Every observer is seen to move by a cause that was planted, and to say so when it cannot see.

The last test disables alice's vif for good, in a lab of this file's own.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from tests.lab.conftest import Xenlab
from xenlab.errors import LabError, MeasurementError
from xenlab.guest.probe_scripts import DEFINITIONS, INSTALL, JUMPS, NAMES, TRACEFS
from xenlab.guest.probes import DOM0_PROBES, DOMU_PROBES, GROUP, Histogram, Probe
from xenlab.guest.reading import read_node_files
from xenlab.guest.tracing import tracing
from xenlab.lab import Lab
from xenlab.measure.flow import FlowSpec, Transport
from xenlab.measure.observation import Observation
from xenlab.measure.penalties import Penalties
from xenlab.plan.links import DOM0, Link
from xenlab.slots.layout import Frag, Layout, Protocol
from xenlab.traffic.composer.batch import Batch, Order
from xenlab.traffic.composer.delivery import Delivery, deliver_batch
from xenlab.traffic.composer.module import NAME
from xenlab.traffic.composer.receiver import Post
from xenlab.traffic.composer.route import flow_of, sink_device_of, way_of
from xenlab.traffic.kernel_module import build_modules, module_loaded
from xenlab.traffic.measuring import measure_link
from xenlab.traffic.observing import observing

LAB = "observed"
LIMIT = "netfront-slots-limit"
PARAMETER = "/sys/module/xen_netfront/parameters/slots_max"
CONTROL = "/sys/kernel/debug/dynamic_debug/control"
BUDGET_S = 60.0
PACKETS = 30
DATAGRAMS = 200
MANY = 1500

ONE_SLOT = Frag(order=0, offset_bytes=0, size_bytes=100)
TWO_SLOTS = Frag(order=3, offset_bytes=4095, size_bytes=2)


@pytest.fixture(scope="module")
def opened(xenlab: Xenlab) -> Iterator[Lab]:
    """A lab in which alice's limit of slots is a parameter, with the composer in it."""
    with xenlab.bring_up(LAB, "--netfront", f"alice={LIMIT}") as lab, ExitStack() as nodes:
        for node, module in build_modules(lab, NAME, ("alice", DOM0)).items():
            nodes.enter_context(module_loaded(lab, node, NAME, module))
        yield lab


def link_of(lab: Lab, source: str, sink: str) -> Link:
    return next(link for link in lab.plan.links() if (link.source, link.sink) == (source, sink))


def layout_of(slots: int) -> Layout:
    """A head that is copied in one piece, and up to 17 frags of one slot or, of two bytes, two."""
    frags = min(17, slots - 1)
    twice = slots - 1 - frags
    return Layout(
        linear_bytes=200,
        linear_offset_bytes=0,
        frags=(TWO_SLOTS,) * twice + (ONE_SLOT,) * (frags - twice),
        protocol=Protocol.UDP4,
    )


def deliver(lab: Lab, slots: int, packets: int = PACKETS) -> Delivery:
    """Packets of so many slots from alice to dom0."""
    link = link_of(lab, "alice", DOM0)
    order = Order(layout=layout_of(slots), repeat=packets)
    batch = Batch(orders=(order,), flow=flow_of(link), way=way_of(lab, link), first_id=77)
    post = Post(device=sink_device_of(lab, link))
    return deliver_batch(lab.shell("alice"), lab.shell(DOM0), batch, post, lab.budget(BUDGET_S))


def observe_slots(
    lab: Lab, slots: int, slots_max: int, packets: int = PACKETS
) -> tuple[Delivery, Observation]:
    """What is seen of packets of so many slots, under a limit of the frontend's."""
    argv = ["sh", "-c", f"echo {slots_max} >{PARAMETER}"]
    lab.shell("alice").run(argv, deadline=lab.budget(BUDGET_S)).require_success()
    with observing(lab, link_of(lab, "alice", DOM0), probes=True, debug=True) as observer:
        delivery = deliver(lab, slots, packets)
        return delivery, observer.read()


def send_datagrams(lab: Lab, link: Link, datagrams: int = DATAGRAMS) -> None:
    spec = FlowSpec(
        transport=Transport.UDP, address=link.sink_address4, port=7001, seed=1,
        sizes_bytes=(1400,) * datagrams,
    )  # fmt: skip
    assert measure_link(lab, link, [spec]).balanced


def traces_left(lab: Lab, node: str) -> str:
    """All that an observer could leave behind in a node."""
    script = (
        f"cd {TRACEFS}; cat kprobe_events; grep -v '^#' events/skb/kfree_skb/trigger;"
        f" grep -E 'xen_net(back|front)\\]' {CONTROL} | grep '=p';"
        f" cat /proc/sys/net/core/message_cost {JUMPS} {NAMES}"
    )
    return lab.shell(node).run(["sh", "-c", script], deadline=lab.budget(BUDGET_S)).text


def test_bridge_passes_grants_on_and_every_table_moves(opened: Lab) -> None:
    link = link_of(opened, "alice", "bob")
    before = [traces_left(opened, node) for node in opened.plan.node_names]
    assert [text[-4:] for text in before] == ["1\n1\n"] * len(before), "what kernels begin with"

    with observing(opened, link, probes=True) as observer:
        send_datagrams(opened, link)
        observation = observer.read()
        during = [traces_left(opened, node) for node in opened.plan.node_names]

    penalties = Penalties(observation=observation)
    assert [text[-4:] for text in during] == ["0\n0\n"] * len(during), "names, jumps of probes"
    assert list(observation.missing) == []
    assert observation.unrest == ""
    assert penalties.packets == DATAGRAMS
    assert penalties.slots == {1: DATAGRAMS}
    assert (penalties.copies, penalties.maps) == (DATAGRAMS, DATAGRAMS)
    assert penalties.delivery_copies >= DATAGRAMS
    assert penalties.copied_ubufs == 0
    assert observation.source_vif_counter("tx_zerocopy_success") == DATAGRAMS
    assert observation.source_vif_counter("tx_zerocopy_fail") == 0
    assert observation.source_vif_counter("xenbus/events") > 0
    assert observation.sink_vif_counter("tx_packets") == DATAGRAMS
    freed = {(node, one.symbol): one.skbs for node in ("alice", DOM0)
             for one in observation.freed(node)}  # fmt: skip
    assert freed["alice", "net_tx_action"] == DATAGRAMS
    assert freed[DOM0, "xenvif_rx_copy_flush"] == DATAGRAMS
    for node in ("alice", "bob", DOM0):
        assert observation.losses(node) == ()
    assert [traces_left(opened, node) for node in opened.plan.node_names] == before


def test_probes_of_functions_that_interrupts_run_too_are_breakpoints(opened: Lab) -> None:
    """The handler of any other can be interrupted, and what hits a probe meanwhile is missed."""
    listing = ["cat", "/sys/kernel/debug/kprobes/list"]
    with observing(opened, link_of(opened, "alice", "bob"), probes=True):
        lines = opened.shell(DOM0).run(listing, deadline=opened.budget(BUDGET_S)).text.splitlines()

    assert len(lines) == sum(bool(probe.symbol) for probe in DOM0_PROBES)
    assert [line for line in lines if "[FTRACE]" in line or "[OPTIMIZED]" in line] == []


def test_dom0_that_takes_packets_itself_copies_their_pages(opened: Lab) -> None:
    link = link_of(opened, "alice", DOM0)

    with observing(opened, link, probes=True) as observer:
        send_datagrams(opened, link)
        observation = observer.read()

    assert observation.source_vif_counter("tx_zerocopy_fail") == DATAGRAMS
    assert observation.source_vif_counter("tx_zerocopy_success") == 0
    assert Penalties(observation=observation).copied_ubufs == DATAGRAMS


def test_25_slots_are_linearised_by_the_stock_limit(opened: Lab) -> None:
    delivery, observation = observe_slots(opened, 25, slots_max=18)

    penalties = Penalties(observation=observation)
    assert len(delivery.arrival_report.arrivals) == PACKETS
    assert (penalties.linearised, penalties.linearise_failed) == (PACKETS, 0)
    assert penalties.slots == {1: PACKETS}
    assert penalties.per_thousand(penalties.linearised) == 1000
    assert observation.source.counter("line rides the rocket") == PACKETS


def test_18_slots_go_as_they_are_and_are_counted_each(opened: Lab) -> None:
    delivery, observation = observe_slots(opened, 18, slots_max=18)

    penalties = Penalties(observation=observation)
    assert len(delivery.arrival_report.arrivals) == PACKETS
    assert penalties.linearised == 0
    assert penalties.slots == {18: PACKETS}
    assert penalties.maps == 17 * PACKETS


def test_19_slots_overflow_into_a_frag_list(opened: Lab) -> None:
    delivery, observation = observe_slots(opened, 19, slots_max=22)

    penalties = Penalties(observation=observation)
    assert len(delivery.arrival_report.arrivals) == PACKETS
    assert penalties.slots == {19: PACKETS}
    assert penalties.frag_lists == PACKETS
    assert penalties.maps == 18 * PACKETS
    assert observation.source_vif_counter("tx_frag_overflow") == PACKETS
    assert observation.source_vif_counter("tx_zerocopy_sent") == 2 * PACKETS


@pytest.mark.parametrize("slots", [20, 21])
def test_20_and_21_slots_are_lost_in_silence_and_the_responses_tell(
    opened: Lab, slots: int
) -> None:
    delivery, observation = observe_slots(opened, slots, slots_max=22)

    penalties = Penalties(observation=observation)
    assert delivery.arrival_report.arrivals == ()
    assert penalties.slots == {slots: PACKETS}
    assert penalties.silent_slots == slots * PACKETS
    assert penalties.silent_packets == PACKETS
    assert observation.dom0.counter("line too many slots") == PACKETS
    for counter in ("rx_packets", "rx_dropped", "rx_errors", "tx_frag_overflow"):
        assert observation.source_vif_counter(counter) == 0, counter
    assert observation.losses(DOM0) == ()


class TestMissingProbes:
    def test_probe_that_the_kernel_refuses_is_missing_and_no_zero(self, opened: Lab) -> None:
        wanted = Probe(
            event=f"{GROUP}/nowhere",
            symbol="xen_netback:xenvif_nowhere",
            counts="nothing",
            source="nowhere",
            histograms=(Histogram(table="nowhere", keys=("__probe_ip",)),),
        )
        # Inline to the source, and so notrace: there is such a symbol, but no probe on it.
        inlined = replace(
            wanted,
            event=f"{GROUP}/inlined",
            symbol="xen_netback:xenvif_tx_create_map_op",
            histograms=(Histogram(table="inlined", keys=("__probe_ip",)),),
        )
        keyless = replace(
            DOM0_PROBES[0], histograms=(Histogram(table="keyless", keys=("no_such_field",)),)
        )
        shell, deadline = opened.shell(DOM0), opened.budget(BUDGET_S)

        with tracing(shell, (wanted, inlined, keyless, *DOM0_PROBES), deadline) as traced:
            readings = traced.read(read_node_files(shell, traced.patterns, (), deadline))

        assert set(readings.missing) == {"nowhere", "inlined", "keyless"}
        assert "No such file" in readings.missing["nowhere"]
        assert "frag lists" in readings.tables
        assert f"{GROUP}/" not in traces_left(opened, DOM0)

    def test_histogram_that_is_taken_away_is_missing(self, opened: Lab) -> None:
        shell, deadline = opened.shell("alice"), opened.budget(BUDGET_S)
        with tracing(shell, DOMU_PROBES, deadline) as traced:
            clear = ["sh", "-c", f": >{TRACEFS}/events/{GROUP}/slot/trigger"]
            shell.run(clear, deadline=deadline).require_success()
            readings = traced.read(read_node_files(shell, traced.patterns, (), deadline))

        assert set(readings.missing) == {"first slots", "further slots"}

    def test_second_observer_is_refused_and_the_first_goes_on(self, opened: Lab) -> None:
        link = link_of(opened, "alice", DOM0)
        with observing(opened, link, probes=True) as observer:
            with (
                pytest.raises(LabError, match="another observer runs there"),
                observing(opened, link, probes=True),
            ):
                raise AssertionError("two observers of one node")
            send_datagrams(opened, link)
            assert Penalties(observation=observer.read()).slots == {1: DATAGRAMS}

    def test_what_a_killed_observer_leaves_goes_by_the_command_that_is_named(
        self, opened: Lab
    ) -> None:
        shell, deadline = opened.shell("alice"), opened.budget(BUDGET_S)
        before = traces_left(opened, "alice")
        words = [word for probe in DOMU_PROBES if probe.symbol
                 for word in (DEFINITIONS, probe.define(0))]  # fmt: skip
        words += [word for probe in DOMU_PROBES for each in probe.histograms
                  for word in (f"events/{probe.event}/trigger", each.trigger)]  # fmt: skip
        shell.run_script(INSTALL, *words, deadline=deadline).require_success()
        assert traces_left(opened, "alice") != before

        with pytest.raises(LabError) as refused, tracing(shell, DOMU_PROBES, deadline):
            raise AssertionError("two observers of one node")
        words = shlex.split(refused.value.try_next)
        shell.run(words[words.index("--") + 1 :], deadline=deadline).require_success()

        assert traces_left(opened, "alice") == before

    def test_without_probes_their_figures_cannot_be_said(self, opened: Lab) -> None:
        link = link_of(opened, "alice", DOM0)
        with observing(opened, link, probes=False) as observer:
            send_datagrams(opened, link)
            observation = observer.read()

        assert observation.source_vif_counter("tx_zerocopy_fail") == DATAGRAMS
        with pytest.raises(MeasurementError, match="alice did not count pulled"):
            assert Penalties(observation=observation).linearised


def test_observation_costs_time_and_without_probes_nothing_is_set_in_a_kernel(
    opened: Lab, record_property: Callable[[str, object], None]
) -> None:
    """The seconds go into the JUnit file: why observation is off where speed is measured."""
    link = link_of(opened, "alice", "bob")
    before = traces_left(opened, "alice")
    for round_number, probes in enumerate((False, True, False, True)):
        with observing(opened, link, probes=probes) as observer:
            assert (traces_left(opened, "alice") == before) is not probes
            started_s = time.monotonic()
            send_datagrams(opened, link, MANY)
            elapsed_s = time.monotonic() - started_s
            observation = observer.read()
        record_property(f"{MANY} datagrams, probes {probes}, {round_number}", elapsed_s)
        assert observation.device_counter("tx_packets") == MANY
        assert observation.sink_vif_counter("tx_packets") == MANY


def test_22_slots_disable_the_vif_and_it_is_told(opened: Lab) -> None:
    try:
        delivery, observation = observe_slots(opened, 22, slots_max=22, packets=1)
    finally:
        # netfront holds the packet for good, and the composer stays until it has it back.
        unbind = ["sh", "-c", "echo vif-0 >/sys/bus/xen/drivers/vif/unbind"]
        opened.shell("alice").run(unbind, deadline=opened.budget(BUDGET_S)).require_success()

    assert delivery.arrival_report.arrivals == ()
    assert Penalties(observation=observation).fatal_errors == 1
    assert observation.dom0.counter("line fatal error") == 1
    assert observation.dom0.counter("line malicious frontend") == 1
