"""Penalties of a run are the sums of what its verdicts counted; what nobody counted is not zero."""

from __future__ import annotations

from xenlab.verdict.layouts import AS_PREDICTED
from xenlab.verdict.loss import NO_LOSS
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.penalty_sums import PenaltySum, sum_penalties
from xenlab.verdict.verdict import Verdict


def verdict(rule: str, **numbers: int) -> Verdict:
    return Verdict(rule=rule, subject="x", outcome=Outcome.PASS, numbers=numbers)


def by_name(*verdicts: Verdict) -> dict[str, PenaltySum]:
    return {each.kind.name: each for each in sum_penalties(verdicts)}


def test_losses_are_those_of_all_links_together() -> None:
    sums = by_name(
        verdict(NO_LOSS, datagrams=100, datagrams_missing=8, packets_lost=1,
                forward_packets=300, backward_packets=100),
        verdict(NO_LOSS, datagrams=100, datagrams_missing=0, packets_lost=1,
                forward_packets=500, backward_packets=100),
        verdict("in order", datagrams=7),
    )  # fmt: skip

    assert sums["datagrams lost"].per_thousand == 40
    assert sums["packets lost on the way"].per_thousand == 2


def test_layouts_whose_counters_were_not_read_are_not_in_the_sum() -> None:
    sums = by_name(
        verdict(AS_PREDICTED, layouts=100, linearised=30, disagreements=0, tx_frag_overflow=5),
        verdict(AS_PREDICTED, layouts=100, linearised=10, disagreements=1),
    )

    assert sums["linearised"].per_thousand == 200
    assert sums["frag_list"].per_thousand == 50
    assert sums["layouts against the model"].per_thousand == 5


def test_what_nobody_counted_is_not_zero() -> None:
    assert all(each.per_thousand is None for each in sum_penalties([]))
