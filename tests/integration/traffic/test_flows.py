"""Flows between namespaces: exact accounts where nothing is wrong, and each fault by its name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.traffic import faulty_bridge
from tests.integration.traffic.namespace_lab import NamespaceLab
from xenlab.guest.counters import read_counters
from xenlab.measure.flow import Family, FlowSpec, TcpFlow, Transport, UdpFlow
from xenlab.measure.measurement import Measurement
from xenlab.plan.model import DOM0, Link
from xenlab.traffic.flow import FlowBudget, run_flows
from xenlab.traffic.measuring import measure_link
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.rules import judge_measurement
from xenlab.waiting import Deadline

SCRIPT = Path(faulty_bridge.__file__)
# Short, for nothing here is emulated.
IDLE_S = 0.3


def link_of(lab: NamespaceLab, source: str, sink: str) -> Link:
    return next(
        link for link in lab.plan.links() if (link.source, link.sink) == (source, sink)
    )


def udp(link: Link, sizes: tuple[int, ...], family: Family = Family.IPV4) -> FlowSpec:
    address = link.sink_address4 if family is Family.IPV4 else link.sink_address6
    return FlowSpec(
        transport=Transport.UDP, address=address, port=20000, seed=1, sizes_bytes=sizes
    )


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
@pytest.mark.parametrize("mtu_bytes", [1280, 1492, 1499, 1500, 1501, 4000, 9000])
def test_number_of_fragments_is_what_the_kernel_makes_of_every_size(
    lab: NamespaceLab, mtu_bytes: int, family: Family
) -> None:
    for node, device in ((DOM0, "vif1.0"), (DOM0, "br-lan"), ("alice", "eth0")):
        lab.command(node, f"ip link set {device} mtu {mtu_bytes}")
    link = link_of(lab, "alice", DOM0)
    deadline = Deadline.after(20)
    edges = {count * step + off for count in (1, 2, 3) for step in (mtu_bytes - 48, mtu_bytes - 28)
             for off in range(-12, 13)}  # fmt: skip
    for size in sorted({1, 100, 65507, *edges}):
        spec = udp(link, (size,), family)
        before = read_counters(lab.shell("alice"), "alice", deadline)
        run_flows(lab.shell("alice"), lab.shell(DOM0), [spec], FlowBudget(deadline=deadline))
        after = read_counters(lab.shell("alice"), "alice", deadline)
        sent = after.device("eth0", "tx_packets") - before.device("eth0", "tx_packets")
        assert (size, sent) == (size, spec.wire_packets(mtu_bytes))
