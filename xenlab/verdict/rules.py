"""All rules that one Measurement is judged by."""

from __future__ import annotations

from collections.abc import Callable

from xenlab.measure.measurement import Measurement
from xenlab.verdict.loss import judge_loss
from xenlab.verdict.payload import judge_duplicates, judge_intact, judge_order, udp_flows
from xenlab.verdict.verdict import Verdict

Rule = Callable[[Measurement], Verdict]


def judge_measurement(measurement: Measurement) -> tuple[Verdict, ...]:
    """One verdict for each rule; the order of a TCP stream is part of its payload."""
    rules: list[Rule] = [judge_intact, judge_loss, judge_duplicates]
    if udp_flows(measurement):
        rules.append(judge_order)
    return tuple(rule(measurement) for rule in rules)
