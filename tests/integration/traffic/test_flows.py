"""Flows between namespaces: exact accounts where nothing is wrong, and each fault by its name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.traffic import faulty_bridge
from tests.integration.traffic.namespace_lab import NamespaceLab
from xenlab.errors import MeasurementError
from xenlab.guest.counters import read_counters
from xenlab.guest.reading import XLFLOW
from xenlab.measure.flow import FlowSpec, TcpFlow, Transport, UdpFlow
from xenlab.measure.fragments import Family
from xenlab.measure.measurement import Measurement
from xenlab.plan.model import DOM0, Link
from xenlab.traffic.measuring import measure_link
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.rules import judge_measurement
from xenlab.waiting import Deadline, wait_until

SCRIPT = Path(faulty_bridge.__file__)
REMOVE = """
read first <"$1" && echo armed && now=$first
while [ $((now - first)) -lt 100 ]; do read now <"$1" || exit 1; done
ip link del vif1.0
"""
# Short, for nothing here is emulated.
IDLE_S = 0.3


def link_of(lab: NamespaceLab, source: str, sink: str) -> Link:
    return next(link for link in lab.plan.links() if (link.source, link.sink) == (source, sink))


def udp(link: Link, sizes: tuple[int, ...], family: Family = Family.IPV4) -> FlowSpec:
    address = link.sink_address4 if family is Family.IPV4 else link.sink_address6
    return FlowSpec(transport=Transport.UDP, address=address, port=20000, seed=1, sizes_bytes=sizes)


def tcp(link: Link, sizes: tuple[int, ...]) -> FlowSpec:
    return FlowSpec(
        transport=Transport.TCP, address=link.sink_address4, port=20001, seed=1, sizes_bytes=sizes
    )


def outcomes(measurement: Measurement) -> dict[str, Outcome]:
    return {verdict.rule: verdict.outcome for verdict in judge_measurement(measurement)}


def reasons(measurement: Measurement) -> str:
    return "\n".join(
        reason for verdict in judge_measurement(measurement) for reason in verdict.reasons
    )


@contextmanager
def bridging(lab: NamespaceLab, fault: str, every: int) -> Iterator[None]:
    """A bridge with a fault in place of the kernel's, from alice to bob."""
    deadline = Deadline.after(20)
    for vif in ("vif1.0", "vif2.0"):
        lab.command(DOM0, f"ip link set {vif} nomaster")
    argv = [sys.executable, str(SCRIPT), fault, str(every), "vif1.0", "vif2.0"]
    with lab.shell(DOM0).start(argv, deadline=deadline) as bridge:
        assert bridge.read_line(deadline) == b"ready"
        yield


@pytest.fixture(autouse=True)
def short_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xenlab.traffic.measuring.IDLE_S", IDLE_S)


@pytest.mark.parametrize("family", list(Family))
@pytest.mark.parametrize("mtu_bytes", [1280, 1499, 1500, 9000])
def test_number_of_fragments_is_what_the_kernel_makes_of_every_size(
    lab: NamespaceLab, mtu_bytes: int, family: Family
) -> None:
    for node, device in ((DOM0, "vif1.0"), (DOM0, "br-lan"), ("alice", "eth0")):
        lab.command(node, f"ip link set {device} mtu {mtu_bytes}")
    steps = {count * (mtu_bytes - headers) for count in (1, 2, 3) for headers in (48, 28)}
    edges = {step + off for step in steps for off in (-9, -8, -1, 0, 1, 7, 8)}
    alice, deadline = lab.shell("alice"), Deadline.after(20)
    before = read_counters(alice, "alice", deadline)
    for size in sorted({1, 65507, *edges}):
        spec = udp(link_of(lab, "alice", DOM0), (size,), family)
        alice.run([XLFLOW, "send", spec.argument], deadline=deadline).require_success()
        after = read_counters(alice, "alice", deadline)
        sent = after.device("eth0", "tx_packets") - before.device("eth0", "tx_packets")
        assert (size, sent) == (size, spec.wire_packets(mtu_bytes))
        before = after


def test_flow_that_is_all_right_passes_every_rule_and_every_hop_counts_it(
    lab: NamespaceLab,
) -> None:
    link = link_of(lab, "alice", "bob")
    spec = udp(link, (1, 1472, 1473, 65507))
    measurement = measure_link(lab, link, [spec])

    assert set(outcomes(measurement).values()) == {Outcome.PASS}
    assert [hop.packets_out for hop in measurement.forward.hops] == [spec.wire_packets(1500)] * 3
    assert [hop.packets_out for hop in measurement.backward.hops] == [0, 0, 0]


def test_flow_that_could_overrun_its_receiver_is_refused(lab: NamespaceLab) -> None:
    link = link_of(lab, "alice", "bob")
    with pytest.raises(ValueError, match="does not fit its receiver"):
        measure_link(lab, link, [udp(link, (1400,) * 3000)])


def test_lost_packets_are_a_silent_loss_between_the_vifs(lab: NamespaceLab) -> None:
    link = link_of(lab, "alice", "bob")
    with bridging(lab, "drop", every=25):
        measurement = measure_link(lab, link, [udp(link, (1000,) * 60)])

    (flow,) = measurement.flows
    assert isinstance(flow, UdpFlow)
    assert flow.missing_indexes == (24, 49)
    assert outcomes(measurement) == {
        "payload intact": Outcome.PASS,
        "no loss": Outcome.FAIL,
        "no duplicates": Outcome.PASS,
        "in order": Outcome.PASS,
    }
    assert "silent loss between vif1.0 and vif2.0: 2 of 60 packets" in reasons(measurement)


def test_lost_segment_that_tcp_sends_again_is_still_a_loss(lab: NamespaceLab) -> None:
    link = link_of(lab, "alice", "bob")
    with bridging(lab, "drop", every=10):
        measurement = measure_link(lab, link, [tcp(link, (1000,) * 500)])

    (flow,) = measurement.flows
    assert isinstance(flow, TcpFlow)
    assert flow.missing_bytes == 0
    assert outcomes(measurement)["payload intact"] is Outcome.PASS
    assert outcomes(measurement)["no loss"] is Outcome.FAIL


def test_lost_fragments_say_all_that_they_will_before_their_own_run_is_over(
    lab: NamespaceLab,
) -> None:
    """The sink tells the source of each, as late as 60 s after it by the kernel's own measure."""
    link = link_of(lab, "alice", "bob")
    before = read_counters(lab.shell("bob"), "bob", Deadline.after(5))
    with bridging(lab, "drop", every=20):
        measurement = measure_link(lab, link, [udp(link, (20_000,) * 5, Family.IPV6)])
        after = read_counters(lab.shell("bob"), "bob", Deadline.after(5))

        assert after.unfinished_names == ()
        told = after.protocol("Icmp6OutTimeExcds") - before.protocol("Icmp6OutTimeExcds")
        assert [hop.packets_out for hop in measurement.backward.hops] == [told] * 3
        assert told > 0


def test_run_that_begins_with_somebody_elses_fragment_is_inconclusive(
    lab: NamespaceLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xenlab.traffic.measuring.RUN_S", 3.0)
    link = link_of(lab, "alice", "bob")
    with bridging(lab, "drop", every=5):
        argv = [XLFLOW, "send", udp(link, (20_000,), Family.IPV6).argument]
        deadline = Deadline.after(5)
        lab.shell("alice").run(argv, deadline=deadline).require_success()
        bob = lab.shell("bob")
        wait_until(
            lambda: read_counters(bob, "bob", deadline).unfinished_names, "a fragment", deadline
        )
    for vif in ("vif1.0", "vif2.0"):
        lab.command(DOM0, f"ip link set {vif} master br-lan")
    with pytest.raises(MeasurementError, match=r"before the first packet bob .* fragments6 1"):
        measure_link(lab, link, [udp(link, (100,))])


def test_stream_that_is_cut_off_leaves_nobody_who_sends_it_again(lab: NamespaceLab) -> None:
    link = link_of(lab, "alice", "bob")
    with bridging(lab, "drop", every=2):
        measurement = measure_link(lab, link, [tcp(link, (50_000,) * 40)])
    for node in ("alice", "bob"):
        assert read_counters(lab.shell(node), node, Deadline.after(5)).unfinished_names == ()
    assert outcomes(measurement)["no loss"] is Outcome.FAIL


def test_flipped_byte_of_a_datagram_is_found_with_its_offset(lab: NamespaceLab) -> None:
    link = link_of(lab, "alice", "bob")
    with bridging(lab, "corrupt", every=10):
        measurement = measure_link(lab, link, [udp(link, (1000,) * 25)])

    assert outcomes(measurement)["payload intact"] is Outcome.FAIL
    assert outcomes(measurement)["no loss"] is Outcome.PASS
    # The 100th byte behind the Ethernet header, less the headers of IPv4 and UDP.
    assert (
        "udp4: 2 of 25 datagrams came damaged:"
        " datagram 9 of 1000 bytes has 1 bad, the first at offset 72" in reasons(measurement)
    )


def test_flipped_byte_of_a_stream_is_found(lab: NamespaceLab) -> None:
    link = link_of(lab, "alice", "bob")
    with bridging(lab, "corrupt", every=8):
        measurement = measure_link(lab, link, [tcp(link, (1000,) * 500)])

    assert outcomes(measurement)["payload intact"] is Outcome.FAIL
    assert "bad bytes in the stream" in reasons(measurement)


def test_packet_that_comes_twice_is_a_duplicate_and_a_surplus(lab: NamespaceLab) -> None:
    link = link_of(lab, "alice", "bob")
    with bridging(lab, "duplicate", every=10):
        measurement = measure_link(lab, link, [udp(link, (1000,) * 25)])

    assert outcomes(measurement)["no duplicates"] is Outcome.FAIL
    assert outcomes(measurement)["no loss"] is Outcome.PASS
    assert "2 packets more at vif2.0 than at vif1.0 (25)" in reasons(measurement)
    assert "udp4: 2 datagrams came twice" in reasons(measurement)


def test_datagram_that_comes_late_is_out_of_order(lab: NamespaceLab) -> None:
    link = link_of(lab, "alice", "bob")
    with bridging(lab, "reorder", every=10):
        measurement = measure_link(lab, link, [udp(link, (1000,) * 25)])

    assert outcomes(measurement) == {
        "payload intact": Outcome.PASS,
        "no loss": Outcome.PASS,
        "no duplicates": Outcome.PASS,
        "in order": Outcome.FAIL,
    }


def test_device_that_goes_away_under_traffic_is_a_loss_by_its_name(
    lab: NamespaceLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xenlab.traffic.measuring.RUN_S", 3.0)
    link = link_of(lab, "alice", "bob")
    deadline = Deadline.after(20)
    counter = "/sys/class/net/vif1.0/statistics/rx_packets"
    # /sys shows the namespace that it was mounted in.
    argv = ["sh", "-c", f"mount -t sysfs sysfs /sys && {REMOVE}", "sh", counter]
    with lab.shell(DOM0).start(argv, deadline=deadline) as removing:
        assert removing.read_line(deadline) == b"armed"
        measurement = measure_link(lab, link, [tcp(link, (1 << 20,) * 400)])
        removing.wait(deadline).require_success()

    assert outcomes(measurement)["no loss"] is Outcome.FAIL
    assert "dom0 vif1.0 vanished during the run" in reasons(measurement)
