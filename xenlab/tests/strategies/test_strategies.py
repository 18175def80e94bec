"""Remedies for packets of more than 18 slots, settings and kernel code, compared in one table.

Needs: the kernels' headers and source (fetched) and a compiler, for the series that are the
remedies: they are built, loaded in the sending domU and in dom0, and taken out again. The load is
two TCP streams whose writes take turns in one thread. CPU time is what the host spent on the whole
machine; under emulation that is the emulator's: compare rows, and do not believe nanoseconds.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from xenlab.measure.strategy_trial import (
    Effect,
    StrategyCounts,
    StrategyRound,
    StrategyTrial,
    tabulate,
)
from xenlab.pytest_plugin import Judge, Show
from xenlab.traffic.guests import link_from_domu
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.iperf import IperfSpec
from xenlab.traffic.ladder import Extent, plan_runs
from xenlab.traffic.measuring import measure_link
from xenlab.traffic.strategies import REMEDIES, arena, take_turns
from xenlab.verdict.rules import judge_measurement
from xenlab.verdict.strategies import judge_strategies

STREAMS = 2
# Each write is a frag of its own, for the next bytes are the other stream's. With 17 frags, some of
# them across a page, a packet has 18 to 25 slots, and sometimes the 19 that make a frag_list.
WRITE_BYTES = 1000
ROUNDS = {Extent.QUICK: 1, Extent.WHOLE: 5}
# A hundred packets and more, a fifth of them of more than 18 slots; but only one in fifty has just
# 19, and of these some must be seen.
COUNTED_BYTES = 2_000_000
LISTED_BYTES = 8_000_000
SECONDS = {Extent.QUICK: 1, Extent.WHOLE: 2}


def test_every_strategy_does_what_it_is_for_and_is_compared_with_the_default(
    lab: LabHandle, extent: Extent, judge: Judge, show: Show
) -> None:
    link = link_from_domu(lab.plan)
    load = IperfSpec(address=link.sink_address4, streams=STREAMS, write_bytes=WRITE_BYTES)
    (flows,) = plan_runs(link, Extent.QUICK)
    timed = replace(load, seconds=SECONDS[extent])
    taken: dict[str, list[StrategyRound]] = defaultdict(list)
    counts: dict[str, StrategyCounts] = {}
    with arena(lab, link) as compared:
        for remedy, last in take_turns(compared, REMEDIES, ROUNDS[extent]):
            name, effect = remedy.strategy.name, remedy.strategy.effect
            taken[name].append(compared.time(timed))
            if last:
                for verdict in judge_measurement(measure_link(lab, link, flows)):
                    judge(replace(verdict, subject=f"{verdict.subject}, {name}"))
                size_bytes = LISTED_BYTES if effect is Effect.FRAG_LIST else COUNTED_BYTES
                counts[name] = compared.count(replace(load, payload_bytes=size_bytes))
    trials = [
        StrategyTrial(strategy=each, rounds=tuple(taken[each.name]), counts=counts[each.name])
        for each in (remedy.strategy for remedy in REMEDIES)
    ]
    subject = f"{link.source} -> {link.sink}, {STREAMS} streams in turns"
    for verdict in judge_strategies(subject, trials):
        judge(verdict)
    show(tabulate(subject, trials))
