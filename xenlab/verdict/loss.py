"""The rule of loss: sent = arrived + drops at named places; any other difference is silent."""

from __future__ import annotations

from collections.abc import Iterable

from xenlab.measure.drop_names import INCOMPLETE_DROPS
from xenlab.measure.flow import Flow, TcpFlow, UdpFlow, is_told
from xenlab.measure.hops import Drop, Hop, find_hidden_drops, without_sums
from xenlab.measure.measurement import Measurement
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

NO_LOSS = "no loss"

# xenlab/topologies/uplink-no-xen.yaml
WIRE_CONTROL = (
    "whether the NIC and its wire lose them without Xen too:"
    " xenlab test smoke --topology uplink-no-xen"
)

# net/core/skbuff.c, skb_attempt_defer_free(): what a UDP socket has read waits, in 7.2 and not in
# 6.1, for the CPU that it came by, which frees it with the next packet: and a guest's buffer is
# full of what is not freed. Of 16 flows from a guest to dom0 11 stood still, and of 8 with 0, none.
STANDSTILL_CONTROL = (
    "whether its packets wait in the receiving kernel, read but not freed, and keep their slots:"
    " once more after `xenlab exec {node} -- sh -c 'echo 0 >/proc/sys/net/core/skb_defer_max'`"
)

# The sender was refused before a packet existed: the lab did not give the flow its way.
NEVER_MADE = frozenset({"EADDRNOTAVAIL", "ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EPERM"})

# The flow was larger than the receiver's buffer, or its memory: our doing, not the network's.
RECEIVER_OVERRUN = frozenset(
    {"UdpRcvbufErrors", "UdpMemErrors", "Udp6RcvbufErrors", "Udp6MemErrors"}
)


def judge_loss(measurement: Measurement) -> Verdict:
    """Whether everything that was sent arrived; if not, where it was lost, and whether silently."""
    hops = measurement.forward.hops + measurement.backward.hops
    lost = [f"{device} vanished during the run" for device in measurement.vanished]
    lost += _lost_before_device(measurement)
    lost += (text for hop in hops for text in tell_hop(hop))
    lost += tell_hidden_drops(hops)
    missing = [text for flow in measurement.flows for text in _missing(flow)]
    if missing:
        missing += _lost_behind_device(measurement, lost)
    else:
        lost += _lost_unmissed(measurement, lost)
    reasons = lost + missing
    reasons += name_control(measurement)
    reasons += _name_standstill(measurement)
    outcome = Outcome.FAIL if reasons else Outcome.PASS
    doubts = _doubts(measurement)
    if doubts and not lost:
        outcome = Outcome.INCONCLUSIVE
        reasons = doubts + reasons
    return Verdict(
        rule=NO_LOSS,
        subject=measurement.subject,
        outcome=outcome,
        reasons=tuple(reasons),
        numbers=_numbers(measurement, hops),
        control=_control(measurement),
    )


def name_control(measurement: Measurement) -> Iterable[str]:
    """The command to try next where packets of a vif were lost at a NIC: the same without Xen."""
    ways = (measurement.forward, measurement.backward)
    lossy = [hop for way in ways if way.meets_vif for hop in way.hops if hop.meets_nic and hop.lost]
    return (WIRE_CONTROL,) if lossy else ()


def _name_standstill(measurement: Measurement) -> Iterable[str]:
    """The command to try next where a vif's sender stood still: whoever has its pages may not."""
    still = any(isinstance(flow, UdpFlow) and flow.stood_still for flow in measurement.flows)
    if still and measurement.forward.meets_vif:
        yield STANDSTILL_CONTROL.format(node=measurement.sink.partition(" ")[0])


def tell_hop(hop: Hop, foretold: int = 0) -> Iterable[str]:
    """Where a hop lost packets, beyond those that it must lose."""
    if hop.silent > foretold:
        yield (
            f"silent loss between {hop.start} and {hop.end}:"
            f" {hop.silent - foretold} of {hop.packets_in} packets"
        )
    if hop.lost:
        yield from tell_drops(hop.drops)
    yield from tell_miscount(hop)


def tell_miscount(hop: Hop) -> Iterable[str]:
    """Ends of a hop that count other bytes for the same packets."""
    if hop.miscounted_bytes:
        yield (
            f"a counter lies: {hop.start} counts {hop.bytes_in} bytes of {hop.packets_in} packets,"
            f" and {hop.end} {hop.bytes_out} bytes of the same"
        )


def tell_drops(drops: Iterable[Drop]) -> Iterable[str]:
    """The places that admit to a loss."""
    return (f"loss at {drop}" for drop in drops)


def tell_hidden_drops(hops: Iterable[Hop]) -> Iterable[str]:
    """The places that admit to a loss that no hop shows."""
    return (
        f"loss at {drop}, although as many packets came out: others came twice"
        for drop in find_hidden_drops(hops)
    )


def _numbers(measurement: Measurement, hops: tuple[Hop, ...]) -> dict[str, int]:
    udp = [flow for flow in measurement.flows if isinstance(flow, UdpFlow)]
    tcp = [flow for flow in measurement.flows if isinstance(flow, TcpFlow)]
    return {
        "datagrams": sum(len(flow.spec.sizes_bytes) for flow in udp),
        "datagrams_missing": sum(flow.missing for flow in udp),
        "stream_bytes": sum(flow.spec.total_bytes for flow in tcp),
        "stream_bytes_missing": sum(flow.missing_bytes for flow in tcp),
        "forward_packets": measurement.forward.packets_in,
        "backward_packets": measurement.backward.packets_in,
        "packets_lost": sum(hop.lost for hop in hops),
        "packets_lost_silently": sum(hop.silent for hop in hops),
        "packets_behind_a_gap": measurement.stream_gaps,
    }


def _control(measurement: Measurement) -> str:
    hops = measurement.forward.hops
    if not hops:
        return "no hop could be counted"
    counted = ", ".join(f"{hop.end} {hop.packets_out}" for hop in hops)
    return f"counted on the way: {hops[0].start} {hops[0].packets_in}, {counted}"


def _doubts(measurement: Measurement) -> list[str]:
    """Why the account cannot be believed: a counter that saw nothing proves nothing."""
    if not measurement.flows:
        return ["nothing was sent"]
    doubts = [
        f"{measurement.source} never sent: {name} {count}"
        for flow in measurement.flows
        for name, count in flow.errors
        if name in NEVER_MADE
    ]
    doubts += [
        f"the receiver itself was overrun: {drop}"
        for drop in measurement.sink_drops
        if drop.place.counter in RECEIVER_OVERRUN
    ]
    counted = measurement.forward.packets_in
    arrived = any(_arrived(flow) for flow in measurement.flows)
    blind = counted < measurement.wire_packets and _complete(measurement)
    if arrived and (blind or not counted):
        doubts.append(
            f"{measurement.source} counted {counted} packets of {measurement.wire_packets},"
            " yet the payload arrived: this counter does not see the flow"
        )
    return doubts


def _arrived(flow: Flow) -> int:
    return flow.received if isinstance(flow, UdpFlow) else flow.received_bytes


def _complete(measurement: Measurement) -> bool:
    return not any(text for flow in measurement.flows for text in _missing(flow))


def _missing(flow: Flow) -> Iterable[str]:
    """What of a flow's payload did not come, and what the sender was told."""
    for name, count in flow.errors:
        if name not in NEVER_MADE:
            yield f"{flow.spec}: the sender met {name} {count} times"
    if isinstance(flow, UdpFlow) and flow.sender_ended != "complete":
        how = "stood still, its buffer full, until its" if flow.stood_still else "went on until its"
        yield (
            f"{flow.spec}: the sender {how} time was up:"
            f" {flow.sent} of {len(flow.spec.sizes_bytes)} datagrams sent"
        )
    if isinstance(flow, UdpFlow) and flow.missing:
        which = ", ".join(map(str, flow.missing_indexes[:8]))
        yield (
            f"{flow.spec}: {flow.missing} of {len(flow.spec.sizes_bytes)} datagrams missing"
            f" (first: {which})"
        )
    if isinstance(flow, TcpFlow) and (flow.missing_bytes or flow.receiver_ended != "complete"):
        yield (
            f"{flow.spec}: {flow.missing_bytes} of {flow.spec.total_bytes} bytes missing;"
            f" sender ended {flow.sender_ended}, receiver ended {flow.receiver_ended}"
        )


def _lost_before_device(measurement: Measurement) -> Iterable[str]:
    """What the socket took and the device did not send, where the payload confirms the loss."""
    lost = measurement.wire_packets - measurement.forward.packets_in
    if lost <= 0 or measurement.vanished or _complete(measurement):
        return
    yield from tell_drops(measurement.source_drops)
    silent = lost - sum(drop.packets for drop in measurement.source_drops)
    told = any(is_told(flow) for flow in measurement.flows)
    if silent > 0 and not told:
        yield (
            f"silent loss between the socket and {measurement.source}:"
            f" {silent} of {measurement.wire_packets} packets"
        )


def _lost_unmissed(measurement: Measurement, lost: list[str]) -> Iterable[str]:
    """What was lost at an end and came after all, for TCP sent it again."""
    yield from tell_drops(measurement.unmissed_drops)
    named = measurement.unmissed_drops + measurement.source_drops + measurement.sink_drops
    if measurement.stream_gaps and not lost and not named:
        yield (
            f"{measurement.stream_gaps} packets of a stream came behind a gap: overtaken, or a"
            f" silent loss between a socket and {measurement.source} or {measurement.sink}"
        )


def _lost_behind_device(measurement: Measurement, lost: list[str]) -> list[str]:
    """What reached the sink's device and not its socket, where something is missing."""
    incomplete = [d for d in measurement.sink_drops if d.place.counter in INCOMPLETE_DROPS]
    others = [drop for drop in measurement.sink_drops if drop not in incomplete]
    # A datagram is thrown away whole where one of its packets was lost on the way.
    named = list(tell_drops(without_sums((*others, *(() if lost else incomplete)))))
    if lost or named or any(is_told(flow) for flow in measurement.flows):
        return named
    if not measurement.wire_packets:
        # How many packets a TCP flow makes is not known: it may not have left its source either.
        ends = f"{measurement.source} or {measurement.sink}"
        return [f"silent loss between a socket and its device, at {ends}"]
    return [f"silent loss between {measurement.sink} and its socket"]
