"""The rules of the ring: packets took the slots that they must, and were linearised as they must.

What they judge by is seen by probes in the sending kernel, and not by the sender.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from xenlab.measure.layouts import LayoutRun
from xenlab.measure.penalties import Penalties
from xenlab.slots.fate import Fate
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

RING_SLOTS = "ring slots as predicted"
LINEARISED = "linearised as predicted"


def judge_ring_slots(run: LayoutRun, penalties: Penalties, *, subject: str = "") -> Verdict:
    """PASS if as many packets went over the ring with each number of slots as the model says.

    Raises MeasurementError where the source has no netfront, or the probe is missing.
    """
    must = Counter(slots for slots in run.ring_slots if slots)
    seen = penalties.slots
    reasons = [
        f"{seen.get(slots, 0)} packets took {slots} slots, not {must[slots]}"
        for slots in sorted(must.keys() | seen.keys())
        if seen.get(slots, 0) != must[slots]
    ]
    numbers = {"packets": sum(seen.values()), "must_be_packets": must.total()}
    return _verdict(
        RING_SLOTS, subject or run.subject, reasons, numbers,
        control=f"of each number of slots: {_list(seen)}" if seen else "",
    )  # fmt: skip


def judge_linearised(run: LayoutRun, penalties: Penalties, *, subject: str = "") -> Verdict:
    """PASS if the frontend linearised the packets that it must, and failed at none but these.

    A packet that must be dropped (`Fate.DROPPED`) is one for which there is no memory. A failure is
    told as one, with its counters: it is no loss of unknown cause.
    """
    numbers = {
        "linearised": penalties.linearised,
        "must_be_linearised": run.count(Fate.LINEARISED),
        "linearise_failed": penalties.linearise_failed,
        "must_fail": run.count(Fate.DROPPED),
        "tx_dropped": penalties.observation.device_counter("tx_dropped"),
        "packets": penalties.packets,
    }
    reasons = []
    if numbers["linearised"] != numbers["must_be_linearised"]:
        reasons.append(
            f"{numbers['linearised']} packets were linearised, not {numbers['must_be_linearised']}"
        )
    device = penalties.observation.from_end.device
    failed, dropped = numbers["linearise_failed"], numbers["tx_dropped"]
    if failed != numbers["must_fail"]:
        reasons.append(
            f"{device} found no memory to linearise {failed} packets, not {numbers['must_fail']},"
            f" and dropped them (tx_dropped {dropped})"
        )
    if dropped != failed:
        reasons.append(f"{device} dropped {dropped} packets, {failed} of them for want of memory")
    return _verdict(
        LINEARISED, subject or run.subject, reasons, numbers,
        control=f"{numbers['linearised']} of {numbers['packets']} packets seen linearised",
    )  # fmt: skip


def _list(slots: Mapping[int, int]) -> str:
    return ", ".join(f"{count} of {at}" for at, count in sorted(slots.items()))


def _verdict(
    rule: str, subject: str, reasons: list[str], numbers: dict[str, int], *, control: str
) -> Verdict:
    outcome = Outcome.FAIL if reasons else Outcome.PASS
    if not reasons and not numbers["packets"]:
        outcome, reasons = Outcome.INCONCLUSIVE, ["no packet went over the ring"]
    return Verdict(
        rule=rule, subject=subject, outcome=outcome, reasons=tuple(reasons), numbers=numbers,
        control=control,
    )  # fmt: skip
