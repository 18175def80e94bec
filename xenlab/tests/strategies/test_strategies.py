"""Remedies for packets of more than 18 slots, settings and kernel code, compared in one table.

Needs: the kernels' headers and source (fetched) and a compiler, for the series that are the
remedies: they are built, loaded in the sending domU and in dom0, and taken out again. The load is
two TCP streams whose writes take turns in one thread. CPU time is what the host spent on the whole
machine; under emulation that is the emulator's: compare rows, and do not believe nanoseconds.

Drivers under test stay loaded: the default is measured with them, settings are laid on them, and
what would replace them is skipped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from xenlab.kernel.driver import DriverKind
from xenlab.measure.strategy_trial import (
    Effect,
    StrategyCounts,
    StrategyRound,
    StrategyTrial,
    tabulate,
)
from xenlab.plan.model import Link
from xenlab.pytest_plugin import Judge, Show
from xenlab.traffic.guests import link_from_domu
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.iperf import IperfSpec
from xenlab.traffic.ladder import Extent, plan_runs
from xenlab.traffic.measuring import measure_link
from xenlab.traffic.remedies import REMEDIES, Loaded, Remedy
from xenlab.traffic.strategies import arena, take_turns
from xenlab.verdict.rules import judge_measurement
from xenlab.verdict.strategies import judge_set_aside, judge_strategies

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
    lab: LabHandle, extent: Extent, tried: frozenset[DriverKind], judge: Judge, show: Show
) -> None:
    link = link_from_domu(lab.plan)
    loaded = Loaded.of(lab, link, tried)
    subject = f"{link.source} -> {link.sink}, {STREAMS} streams in turns"
    remedies = tuple(loaded.lay(each) for each in REMEDIES if not loaded.why_not(each))
    measured = Measured(lab=lab, link=link, loaded=loaded, judge=judge)
    measured.take(remedies, extent)
    trials = [measured.trial(remedy) for remedy in remedies]
    for verdict in judge_strategies(subject, trials):
        judge(verdict)
    for remedy in REMEDIES:
        if why := loaded.why_not(remedy):
            judge(judge_set_aside(subject, remedy.strategy, why))
    show(tabulate(subject, trials))


@dataclass(slots=True, kw_only=True)
class Measured:
    """What remedies have come to so far, by name."""

    lab: LabHandle
    link: Link
    loaded: Loaded
    judge: Judge
    taken: dict[str, list[StrategyRound]] = field(default_factory=lambda: defaultdict(list))
    counts: dict[str, StrategyCounts] = field(default_factory=dict)

    def take(self, remedies: Sequence[Remedy], extent: Extent) -> None:
        """Have all of them in force in turns."""
        load = IperfSpec(address=self.link.sink_address4, streams=STREAMS, write_bytes=WRITE_BYTES)
        timed = replace(load, seconds=SECONDS[extent])
        with arena(self.lab, self.link) as compared:
            for remedy, last in take_turns(compared, remedies, ROUNDS[extent]):
                name, effect = remedy.strategy.name, remedy.strategy.effect
                self.taken[name].append(compared.time(timed))
                if last:
                    self._judge_flows(remedy)
                    size_bytes = LISTED_BYTES if effect is Effect.FRAG_LIST else COUNTED_BYTES
                    counted = replace(load, payload_bytes=size_bytes)
                    self.counts[name] = compared.count(counted, remedy)

    def trial(self, remedy: Remedy) -> StrategyTrial:
        """All of one remedy."""
        name = remedy.strategy.name
        return StrategyTrial(
            strategy=remedy.strategy,
            rounds=tuple(self.taken[name]),
            counts=self.counts[name],
            drivers=self.loaded.words_under(remedy),
        )

    def _judge_flows(self, remedy: Remedy) -> None:
        """That ordinary traffic is whole under a remedy."""
        (flows,) = plan_runs(self.link, Extent.QUICK)
        for verdict in judge_measurement(measure_link(self.lab, self.link, flows)):
            subject = f"{verdict.subject}, {remedy.strategy.name}"
            drivers = f"loaded: {self.loaded.words_under(remedy)}"
            control = "; ".join(filter(None, (verdict.control, drivers)))
            self.judge(replace(verdict, subject=subject, control=control))
