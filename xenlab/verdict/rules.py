"""All rules that one Measurement is judged by."""

from __future__ import annotations

from xenlab.measure.measurement import Measurement
from xenlab.verdict.loss import judge_loss
from xenlab.verdict.payload import judge_duplicates, judge_intact, judge_order, udp_flows
from xenlab.verdict.verdict import Verdict


def judge_measurement(measurement: Measurement, *, segmented: bool = False) -> tuple[Verdict, ...]:
    """One verdict for each rule; the order of a TCP stream is part of its payload.

    Where packets are `segmented` on their way there are more of them behind one of its hops.
    """
    verdicts = [
        judge_intact(measurement),
        judge_loss(measurement),
        judge_duplicates(measurement, segmented=segmented),
    ]
    if udp_flows(measurement):
        verdicts.append(judge_order(measurement))
    return tuple(verdicts)
