"""The rules of a load: every packet of pktgen's accounted for, and the ring slots that it took."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from xenlab.measure.hops import Drop
from xenlab.measure.load import Load, RingUse
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

ACCOUNTED = "load accounted for"
SLOTS_AS_FORETOLD = "load takes its slots"


def judge_load(load: Load) -> Verdict:
    """Whether every packet that pktgen made arrived, or was refused by a vif that was full.

    pktgen does not wait for a guest, so what a full vif drops is its doing; it is told, and not
    held against anybody. But it keeps a number of packets before it refuses one, and the qdisc
    before it none. INCONCLUSIVE where nothing arrived, with whatever excuse.
    """
    reasons = [*_generating(load), *_underway(load), *_arriving(load)]
    outcome = Outcome.FAIL if reasons else Outcome.PASS
    if not reasons and not load.arrivals.marked_pkts:
        outcome, reasons = Outcome.INCONCLUSIVE, ["no packet arrived"]
    hops = load.account.hops
    counted = ", ".join(f"{hop.end} {hop.packets_out}" for hop in hops)
    first = f"{hops[0].start} {load.account.packets_in}, " if hops else ""
    return Verdict(
        rule=ACCOUNTED,
        subject=load.subject,
        outcome=outcome,
        reasons=tuple(reasons),
        numbers={
            "packets": load.spec.packets,
            "queues": load.spec.queues,
            "device_queues": load.device_queues,
            "arrived": load.arrivals.marked_pkts,
            "overruns": load.overrun_pkts,
            "packets_a_second": load.packets_a_second,
            "kbit_a_second": load.bits_a_second // 1000,
            "elapsed_us": load.elapsed_us,
        },
        control=f"counted on the way: {first}{counted}, marked {load.arrivals.marked_pkts}",
    )


def judge_load_slots(load: Load) -> Verdict:
    """Whether each packet took the ring slots that pktgen's frames must take, on every queue.

    INCONCLUSIVE where nothing went through a ring.
    """
    reasons = [*_sending_slots(load), *_delivery_slots(load)]
    outcome = Outcome.FAIL if reasons else Outcome.PASS
    if not any(use.total for use in _uses(load)):
        outcome, reasons = Outcome.INCONCLUSIVE, ["no slot went through a ring"]
    frame = load.spec.frame
    return Verdict(
        rule=SLOTS_AS_FORETOLD,
        subject=load.subject,
        outcome=outcome,
        reasons=tuple(reasons),
        numbers={
            "least_slots": frame.least_slots,
            "most_slots": frame.most_slots,
            "delivery_slots": frame.delivery_slots,
            "from_guest": load.from_guest.total if load.from_guest else 0,
            "to_guest": load.to_guest.total if load.to_guest else 0,
        },
        control="; ".join(_tell_queues(load)),
    )


def _tell_queues(load: Load) -> Iterator[str]:
    if load.device_queues == 1:
        yield f"{load.device} has one queue: nothing is said of several"
    for use in _uses(load):
        for queue, slots in sorted(use.slots.items()):
            yield f"{use.vif} queue {queue}: {slots} slots"


def _generating(load: Load) -> Iterator[str]:
    if load.generated_pkts != load.spec.packets:
        yield f"pktgen made {load.generated_pkts} packets of {load.spec.packets}"
    if not load.elapsed_us:
        yield "pktgen waits for its last packet, which the driver does not give back"
    if load.refused:
        yield f"the driver refused {load.refused} packets"
    between = f"pktgen and {load.source} {load.device}"
    yield from _lost(load, between, load.generated_pkts, load.account.packets_in, load.source_drops)


def _underway(load: Load) -> Iterator[str]:
    yield from (f"loss at {drop}" for drop in load.filtered)
    if load.unrest:
        yield f"the way never came to rest: {load.unrest}"
    packets, room = load.spec.packets, load.room_pkts
    if load.to_guest is not None and load.overrun_pkts > max(0, packets - room):
        yield (
            f"{load.to_guest.vif} or its qdisc refused {load.overrun_pkts} of {packets} packets,"
            f" and the vif has room for {room}"
        )
    for hop in load.account.hops:
        between = f"{hop.start} and {hop.end}"
        yield from _lost(load, between, hop.packets_in, hop.packets_out, hop.drops)


def _arriving(load: Load) -> Iterator[str]:
    between = f"{load.sink}'s device and its filter"
    yield from _lost(load, between, load.account.packets_out, load.arrived_pkts, ())
    arrivals = load.arrivals
    if arrivals.other_pkts:
        yield f"{arrivals.other_pkts} packets arrived without pktgen's mark"
    if arrivals.marked_bytes != load.expected_bytes:
        yield (
            f"the packets that arrived have {arrivals.marked_bytes} bytes,"
            f" not {load.expected_bytes}"
        )


def _lost(
    load: Load, between: str, packets_in: int, packets_out: int, drops: tuple[Drop, ...]
) -> Iterator[str]:
    """What does not add up between two places; a vif that was overrun explains what it dropped."""
    yield from (f"loss at {drop}" for drop in drops if drop not in load.overruns)
    missing = packets_in - packets_out - _sum(drops)
    if missing > 0:
        yield f"silent loss between {between}: {missing} of {packets_in} packets"
    if missing < 0:
        yield f"{-missing} packets more behind {between}"


def _sending_slots(load: Load) -> Iterator[str]:
    """The first vif: pktgen gives its queues one packet each in turn."""
    use = load.from_guest
    if use is None:
        return
    frame, packets, queues = load.spec.frame, load.account.packets_in, load.spec.queues
    for queue, slots in sorted(use.slots.items()):
        share = range(packets // queues, -(-packets // queues) + 1) if queue < queues else range(1)
        least, most = share[0] * frame.least_slots, share[-1] * frame.most_slots
        if not least <= slots <= most:
            yield _wrong(f"{use.vif} queue {queue} took {slots} slots from its guest", least, most)


def _delivery_slots(load: Load) -> Iterator[str]:
    """The last vif. Behind a bridge a hash of the addresses chooses the queue."""
    use = load.to_guest
    if use is None:
        return
    slots = load.account.packets_out * load.spec.frame.delivery_slots
    if use.total != slots:
        yield _wrong(f"{use.vif} filled {use.total} slots for its guest", slots, slots)


def _wrong(what: str, least: int, most: int) -> str:
    return f"{what}, not {least}" + (f" to {most}" if most > least else "")


def _uses(load: Load) -> Iterator[RingUse]:
    return (use for use in (load.from_guest, load.to_guest) if use is not None)


def _sum(drops: Iterable[Drop]) -> int:
    return sum(drop.packets for drop in drops)
