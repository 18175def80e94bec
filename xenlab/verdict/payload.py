"""Rules of payload: it is intact, comes once, and comes in order."""

from __future__ import annotations

from collections.abc import Iterable

from xenlab.measure.drop_names import DAMAGE_DROPS
from xenlab.measure.flow import TcpFlow, UdpFlow
from xenlab.measure.hops import Drop
from xenlab.measure.measurement import Measurement
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

INTACT = "payload intact"
NO_DUPLICATES = "no duplicates"
IN_ORDER = "in order"


def judge_intact(measurement: Measurement) -> Verdict:
    """Whether every byte that arrived is the byte that was sent."""
    udp, tcp = udp_flows(measurement), tcp_flows(measurement)
    numbers = {
        "intact": sum(flow.intact for flow in udp),
        "corrupt": sum(flow.corrupt for flow in udp),
        "truncated": sum(flow.truncated for flow in udp),
        "foreign": sum(flow.foreign for flow in udp),
        "stream_bytes": sum(flow.received_bytes for flow in tcp),
        "bad_stream_bytes": sum(flow.bad_bytes for flow in tcp),
        "bad_checksums": sum(drop.packets for drop in _bad_checksums(measurement)),
    }
    reasons = [reason for flow in udp for reason in _udp_damage(flow)]
    reasons += [
        f"{flow.spec}: {flow.bad_bytes} bad bytes in the stream, the first at offset"
        f" {flow.first_bad_offset}"
        for flow in tcp
        if flow.bad_bytes
    ]
    # TCP sends again what came damaged, and the payload is whole after all.
    reasons += [f"damaged packets came: {drop}" for drop in _bad_checksums(measurement)]
    compared = sum(flow.received for flow in udp) + numbers["stream_bytes"]
    return _verdict(INTACT, measurement, reasons, numbers, seen=compared)


def judge_duplicates(measurement: Measurement, *, segmented: bool = False) -> Verdict:
    """Whether nothing came twice: no datagram at the sink, no packet at any hop.

    Where dom0 has `segmented` packets to the sink there are more of them from its vif on, which the
    last hop begins with: how many more is another rule's (judge_segmented).
    """
    udp = udp_flows(measurement)
    forward = measurement.forward.hops
    hops = (*(forward[:-2] + forward[-1:] if segmented else forward), *measurement.backward.hops)
    surplus = [hop for hop in hops if hop.surplus]
    extra = 0 if segmented else measurement.extra_packets
    numbers = {
        "duplicates": sum(flow.duplicates for flow in udp),
        "surplus_packets": sum(hop.surplus for hop in surplus),
        "extra_packets": extra,
    }
    reasons = [
        f"{flow.spec}: {flow.duplicates} datagrams came twice" for flow in udp if flow.duplicates
    ]
    reasons += [
        f"{hop.surplus} packets more at {hop.end} than at {hop.start} ({hop.packets_in})"
        for hop in surplus
    ]
    if extra:
        reasons.append(f"{measurement.source} sent {extra} packets more than its datagrams make")
    return _verdict(
        NO_DUPLICATES, measurement, reasons, numbers, seen=measurement.forward.packets_out
    )


def judge_order(measurement: Measurement) -> Verdict:
    """Whether the datagrams of each flow came in order: one flow has one queue.

    Those in fragments may have another one than those of one packet where a vif has several.
    """
    udp = udp_flows(measurement)
    numbers = {"reordered": sum(flow.reordered for flow in udp)}
    reasons = [
        f"{flow.spec}: {flow.reordered} of {flow.intact} datagrams came after a later one"
        for flow in udp
        if flow.reordered
    ]
    # Two are the fewest that can come in the wrong order.
    seen = sum(flow.intact for flow in udp if flow.intact > 1)
    return _verdict(IN_ORDER, measurement, reasons, numbers, seen=seen)


def udp_flows(measurement: Measurement) -> tuple[UdpFlow, ...]:
    """The UDP flows of a measurement."""
    return tuple(flow for flow in measurement.flows if isinstance(flow, UdpFlow))


def tcp_flows(measurement: Measurement) -> tuple[TcpFlow, ...]:
    """The TCP flows of a measurement."""
    return tuple(flow for flow in measurement.flows if isinstance(flow, TcpFlow))


def _bad_checksums(measurement: Measurement) -> tuple[Drop, ...]:
    drops = measurement.sink_drops + measurement.echo_drops
    return tuple(drop for drop in drops if drop.place.counter in DAMAGE_DROPS)


def _udp_damage(flow: UdpFlow) -> Iterable[str]:
    if flow.corrupt or flow.truncated:
        damaged = flow.corrupt + flow.truncated
        first = f": {flow.damages[0]}" if flow.damages else ""
        yield f"{flow.spec}: {damaged} of {flow.received} datagrams came damaged{first}"
    if flow.foreign:
        yield f"{flow.spec}: {flow.foreign} datagrams came that nobody sent"


def _verdict(
    rule: str, measurement: Measurement, reasons: list[str], numbers: dict[str, int], *, seen: int
) -> Verdict:
    """FAIL for a reason, PASS for none, but INCONCLUSIVE where there was nothing to look at."""
    outcome = Outcome.FAIL if reasons else Outcome.PASS
    if not reasons and not seen:
        outcome = Outcome.INCONCLUSIVE
        reasons = ["nothing arrived that could have shown it"]
    return Verdict(
        rule=rule,
        subject=measurement.subject,
        outcome=outcome,
        reasons=tuple(reasons),
        numbers=numbers,
        control=_CONTROLS[rule].format(seen=seen),
    )


_CONTROLS = {
    INTACT: "{seen} datagrams and stream bytes compared with what was sent",
    NO_DUPLICATES: "{seen} packets counted at the sink's device",
    IN_ORDER: "{seen} datagrams of flows of two and more identified at the sink",
}
