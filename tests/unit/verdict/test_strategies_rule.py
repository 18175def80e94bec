"""The rule of strategies: each way in which a remedy can fail to be one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from xenlab.measure.hops import Drop
from xenlab.measure.path import DropCounter
from xenlab.measure.strategy_trial import (
    Effect,
    Strategy,
    StrategyCounts,
    StrategyRound,
    StrategyTrial,
    tabulate,
)
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.strategies import judge_set_aside, judge_strategies

COUNTS = StrategyCounts(
    sent_pkts=1000, linearised_pkts=400, unlinearised_pkts=0, relocated_pkts=0, relocated_bytes=0,
    frag_list_pkts=0, drops=(), silent_pkts=0,
)  # fmt: skip
EMPTY = StrategyRound(payload_bytes=0, elapsed_us=9, cpu_ns=1)


def trial(name: str, effect: Effect, counts: StrategyCounts, *megabytes: int) -> StrategyTrial:
    rounds = (
        StrategyRound(payload_bytes=each * 1_000_000, elapsed_us=1_000_000, cpu_ns=5_000_000)
        for each in megabytes
    )
    strategy = Strategy(name=name, setting="so", effect=effect)
    return StrategyTrial(strategy=strategy, rounds=tuple(rounds), counts=counts)


DEFAULT = trial("default", Effect.LINEARISED, COUNTS, 10, 20, 12)
AVOIDING = trial("small", Effect.AVOIDED, replace(COUNTS, linearised_pkts=0), 6, 5, 7)
RELOCATED = replace(COUNTS, linearised_pkts=0, relocated_pkts=400, relocated_bytes=6_000_000)
COPYING = trial("copy", Effect.RELOCATED, RELOCATED, 9, 9, 9)
RELOCATING = trial(
    "repack", Effect.RELOCATED_LEAST, replace(RELOCATED, relocated_bytes=1_000_000), 9, 9, 9
)
NEGOTIATING = trial(
    "more", Effect.FRAG_LISTS, replace(COUNTS, linearised_pkts=0, frag_list_pkts=400), 9, 9, 9
)
LISTING = trial("list", Effect.FRAG_LIST, replace(COUNTS, frag_list_pkts=30), 9, 9, 9)


def test_table_has_the_median_of_repetitions_that_took_turns() -> None:
    table = tabulate("alice -> bob", (DEFAULT, AVOIDING))

    assert [row.goodput_bps for row in table.rows] == [96e6, 48e6]
    assert table.throughput_ratio(table.rows[1]) == 0.5
    assert table.rows[0].payload_bytes == 42_000_000
    assert table.rows[0].linearised_per_thousand == 400


def test_table_says_how_far_two_that_do_the_same_are_apart() -> None:
    twin = trial("twin", Effect.LINEARISED, COUNTS, 15)

    assert tabulate("a", (DEFAULT, AVOIDING)).subject == "a"
    assert tabulate("a", (DEFAULT, AVOIDING, twin)).subject == (
        "a; strategies that do the same differ by 25 %"
    )
    assert judge_strategies("a", (DEFAULT, twin))[1].subject == "a: twin"


def test_strategies_that_do_what_they_are_for_pass_however_slow_they_are() -> None:
    trials = (DEFAULT, AVOIDING, LISTING, RELOCATING, NEGOTIATING, COPYING)
    verdicts = judge_strategies("alice -> bob", trials)

    assert [verdict.outcome for verdict in verdicts] == [Outcome.PASS] * 6
    assert verdicts[3].control.endswith("; copy: 15000 bytes of each such packet")
    assert verdicts[3].numbers["relocated_bytes"] == 1_000_000
    assert tabulate("a", trials).rows[3].bytes_a_relocated_packet == 2500
    assert verdicts[1].numbers["goodput_percent_of_default"] == 50
    assert "400 of 1000 packets had more than 18 slots" in verdicts[2].control


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (replace(AVOIDING, counts=COUNTS), "400 of 1000 packets were linearised all the same"),
        (replace(LISTING, counts=COUNTS), "none of 1000 packets came to dom0 with a frag_list"),
        (replace(RELOCATING, counts=AVOIDING.counts), "none of 1000 packets was copied to other"),
        (replace(RELOCATING, counts=COUNTS), "400 of 1000 packets were linearised all the same"),
        (replace(RELOCATING, counts=RELOCATED), "15000 bytes of each packet were moved, and 15000"),
        (replace(LISTING, counts=NEGOTIATING.counts), "none of 1000 packets was linearised"),
        (trial("twin", Effect.LINEARISED, AVOIDING.counts, 9), "none of 1000 packets was linear"),
        (replace(NEGOTIATING, counts=LISTING.counts), "400 of 1000 packets were linearised all"),
        (replace(NEGOTIATING, counts=AVOIDING.counts), "none of 1000 packets came to dom0 with a"),
        (
            replace(AVOIDING, counts=replace(RELOCATED, relocated_pkts=7)),
            "7 packets were copied to other pages",
        ),
        (replace(DEFAULT, counts=LISTING.counts), "30 packets came to dom0 with a frag_list"),
        (
            replace(DEFAULT, counts=replace(COUNTS, unlinearised_pkts=2)),
            "2 packets found no memory to be linearised into",
        ),
        (replace(DEFAULT, counts=replace(COUNTS, silent_pkts=1)), "1 packets were lost and no"),
        (
            replace(
                DEFAULT,
                rounds=(*DEFAULT.rounds, StrategyRound(payload_bytes=0, elapsed_us=9, cpu_ns=1)),
            ),
            "a repetition brought no payload",
        ),
    ],
)
def test_strategy_that_does_not_do_it_fails(bad: StrategyTrial, reason: str) -> None:
    *_, verdict = judge_strategies("alice -> bob", (DEFAULT, COPYING, bad))

    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons[0].startswith(reason)


DROP = Drop(place=DropCounter(node="dom0", device="vif2.0", counter="qdisc_drops"), packets=3)


def test_what_the_last_vif_had_no_room_for_is_a_number_and_no_failure() -> None:
    counts = replace(COUNTS, drops=(DROP,), overruns=(DROP,))

    (verdict,) = judge_strategies("", (replace(DEFAULT, counts=counts),))

    assert (verdict.outcome, verdict.numbers["lost"]) == (Outcome.PASS, 3)


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        (replace(COUNTS, drops=(DROP,)), "loss at dom0 vif2.0 qdisc_drops 3"),
        (replace(COUNTS, unrest="vif1.0: 2 pending"), "never came to rest: vif1.0: 2 pending"),
    ],
)
def test_other_loss_and_what_does_not_come_back_fail(counts: StrategyCounts, reason: str) -> None:
    (verdict,) = judge_strategies("", (replace(DEFAULT, counts=counts),))

    assert (verdict.outcome, verdict.reasons) == (Outcome.FAIL, (reason,))


def test_least_moved_has_its_control_in_what_copies_all() -> None:
    *_, verdict = judge_strategies("alice -> bob", (DEFAULT, RELOCATING))

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "nothing copied all frags" in verdict.reasons[0]


def test_default_without_a_packet_of_many_slots_leaves_nothing_to_remedy() -> None:
    idle = replace(DEFAULT, counts=replace(COUNTS, linearised_pkts=0))

    verdicts = judge_strategies("alice -> bob", (idle, AVOIDING))

    assert {verdict.outcome for verdict in verdicts} == {Outcome.INCONCLUSIVE}


@pytest.mark.parametrize(
    ("effect", "counts", "became"),
    [
        (Effect.LINEARISED, COUNTS, "400 of 1000 packets had more than 18 slots and were linear"),
        (Effect.RELOCATED, RELOCATED, "400 of 1000 packets had more than 18 slots and were copied"),
        (
            Effect.FRAG_LISTS,
            NEGOTIATING.counts,
            "400 of 1000 packets had more than 18 slots and came to dom0 with a frag_list",
        ),
    ],
)
def test_default_on_drivers_under_test_is_the_control_by_what_those_do(
    effect: Effect, counts: StrategyCounts, became: str
) -> None:
    drivers = "netfront mine.patch, netback stock"
    loaded = replace(trial("default", effect, counts, 10), drivers=drivers)

    verdicts = judge_strategies("alice -> bob", (loaded, replace(AVOIDING, drivers=drivers)))

    assert [verdict.outcome for verdict in verdicts] == [Outcome.PASS, Outcome.PASS]
    for verdict in verdicts:
        assert verdict.control.startswith(f"default: {became}")
        assert verdict.control.endswith(f"; loaded: {drivers}")


def test_strategy_that_is_set_aside_is_a_skip_with_its_reason() -> None:
    verdict = judge_set_aside("alice -> bob", COPYING.strategy, "it would replace mine.patch")

    (judged,) = judge_strategies("alice -> bob", (COPYING,))
    assert (verdict.rule, verdict.subject) == (judged.rule, judged.subject)
    assert verdict.outcome is Outcome.SKIP
    assert verdict.reasons == ("it would replace mine.patch",)
