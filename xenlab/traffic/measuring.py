"""Measuring one link: counters, flows, counters again once they have come to rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from xenlab.errors import MeasurementError
from xenlab.guest.counters import read_counters
from xenlab.measure.attachment import Attachment
from xenlab.measure.counters import CounterDelta, CounterSnapshot
from xenlab.measure.flow import FlowSpec
from xenlab.measure.measurement import Measurement, build_measurement
from xenlab.measure.path import Path, build_path
from xenlab.plan.model import UPLINK, Link, VifPlan
from xenlab.plan.queues import has_several_queues
from xenlab.together import on_all
from xenlab.traffic.flow import XLFLOW_SEND, FlowBudget, FlowSource, run_flows
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.ladder import source_mtu_bytes
from xenlab.waiting import Deadline, wait_until

Snapshots = Mapping[str, CounterSnapshot]

# On a machine of ordinary speed a run takes one second; a loss adds the idle time once.
RUN_S = 60.0
IDLE_S = 3.0


def measure_link(
    lab: LabHandle, link: Link, specs: Sequence[FlowSpec], how: FlowSource = XLFLOW_SEND
) -> Measurement:
    """Send all flows over a link and account for every packet on it, in both directions.

    Raises LabError when the lab broke, MeasurementError when something could not be counted, and
    ValueError for flows that could overrun their receiver.
    """
    path = path_of(lab, link)
    networks = {network.name: network for network in lab.plan.networks}
    mtu_bytes = how.mtu_bytes or source_mtu_bytes(link, networks)
    for spec in specs:
        if not spec.fits_receive_buffer(mtu_bytes):
            raise ValueError(f"{spec} over {link.source} -> {link.sink} does not fit its receiver")
    budget = FlowBudget(deadline=lab.budget(RUN_S), idle_s=lab.budget(IDLE_S).remaining_s)
    between = [node for node in path.nodes if node not in {link.source, link.sink}]
    before = _read_all(lab, between, budget.deadline)
    apart_mtu_bytes = mtu_bytes if has_several_queues(lab.plan, link) else 0
    source, sink = lab.shell(link.source), lab.shell(link.sink)
    run = run_flows(source, sink, specs, budget, how, apart_mtu_bytes=apart_mtu_bytes)
    first = {**before, **run.before}
    _require_settled(first)

    def build(after: Snapshots) -> Measurement:
        deltas = {node: CounterDelta(before=first[node], after=after[node]) for node in path.nodes}
        return build_measurement(path, run.flows, deltas, mtu_bytes=mtu_bytes)

    after = {**_read_all(lab, between, budget.deadline), **run.after}
    return _await_rest(lab, path, build, after, budget.deadline)


def _await_rest(
    lab: LabHandle,
    path: Path,
    build: Callable[[Snapshots], Measurement],
    after: Snapshots,
    deadline: Deadline,
) -> Measurement:
    """What was measured, once no node has anything left to say and no packet is on its way.

    Balanced is at rest. So is what did not change between two readings: it will not come.
    """
    last = build(after)
    if last.balanced and not _unfinished(after):
        return last

    def come_to_rest() -> Measurement | None:
        nonlocal last, after
        after = _read_all(lab, path.nodes, deadline)
        measurement = build(after)
        rested = measurement.balanced or measurement == last
        last = measurement
        return measurement if rested and not _unfinished(after) else None

    what = f"the counters between {path.source.node} and {path.sink.node} to rest"
    return wait_until(come_to_rest, what, deadline, last_seen=lambda: "; ".join(_unfinished(after)))


def _unfinished(snapshots: Snapshots) -> list[str]:
    return [f"{node} has unfinished {each}" for node, snapshot in snapshots.items()
            for each in snapshot.unfinished_names]  # fmt: skip


def _require_settled(before: Snapshots) -> None:
    """What an earlier run left behind would be counted as ours, at some hops and not at others."""
    if unfinished := _unfinished(before):
        raise MeasurementError(f"before the first packet {'; '.join(unfinished)}")


def _read_all(lab: LabHandle, nodes: Iterable[str], deadline: Deadline) -> Snapshots:
    return on_all(lambda node: read_counters(lab.shell(node), node, deadline), nodes)


def path_of(lab: LabHandle, link: Link) -> Path:
    """The devices that packets of a link pass, by their names in this lab."""
    source = _attach(lab, link.source, link.networks[0], link.source_vif, link.source_device)
    sink = _attach(lab, link.sink, link.networks[-1], link.sink_vif, link.sink_device)
    ways = zip(link.networks, link.router_vifs, strict=False)
    router = tuple(_attach(lab, link.router, network, vif) for network, vif in ways)
    return build_path(source, sink, router)


def _attach(
    lab: LabHandle, node: str, name: str, vif: VifPlan | None, device: str = ""
) -> Attachment:
    network = lab.plan.network(name)
    return Attachment(
        node=node,
        device=device or (vif.device if vif else network.bridge),
        bridge=network.bridge,
        vif=lab.vif(node, vif.index) if vif else "",
        nic=UPLINK if lab.plan.is_peer(node) else "",
        backend=network.backend,
    )
