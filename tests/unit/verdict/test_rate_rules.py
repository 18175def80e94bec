"""The rules of rate limits, each seen to fail: too fast, cut off, spinning, and no control."""

from __future__ import annotations

from dataclasses import replace

import pytest

from xenlab.measure.rate import RatedRun, RateTrial
from xenlab.traffic.rate import BURST_BYTES, choose_rate
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.rate import judge_rate, judge_rest
from xenlab.xen.rate import Rate

FREE = RatedRun(packets=300, payload_bytes=600_000, lost=0, elapsed_us=300_000, polls=9)
RATE = Rate(credit_bytes=50_000, credit_us=100_000)
# 600 kB less 200 at 500 kB a second.
TRIAL = RateTrial(
    subject="alice -> dom0", bytes_per_s=RATE.bytes_per_s, burst_bytes=200_000, free=FREE,
    limited=replace(FREE, elapsed_us=900_000),
)  # fmt: skip


def limited(**changes: int) -> RateTrial:
    return replace(TRIAL, limited=replace(TRIAL.limited, **changes))


def test_rate_is_what_its_key_says() -> None:
    assert (str(RATE), RATE.bytes_per_s) == ("50000,100000", 500_000)
    assert TRIAL.least_us == 800_000


@pytest.mark.parametrize(
    ("trial", "outcome", "reason"),
    [
        (TRIAL, Outcome.PASS, ""),
        (limited(elapsed_us=730_000), Outcome.PASS, ""),
        (limited(elapsed_us=500_000), Outcome.FAIL, "at this rate they take 800000 us at least"),
        (limited(lost=7), Outcome.FAIL, "7 of 300 packets did not arrive"),
        (limited(lost=7, elapsed_us=1), Outcome.FAIL, "7 of 300 packets did not arrive"),
        (
            replace(TRIAL, free=replace(FREE, elapsed_us=800_000)),
            Outcome.INCONCLUSIVE,
            "it does not bite",
        ),
        (replace(TRIAL, free=replace(FREE, lost=1)), Outcome.INCONCLUSIVE, "without any limit"),
    ],
)
def test_limit_is_held_if_it_bites(trial: RateTrial, outcome: Outcome, reason: str) -> None:
    verdict = judge_rate(trial)

    assert verdict.outcome is outcome
    assert reason in " ".join(verdict.reasons)
    free = trial.free
    expected = f"without a limit {free.elapsed_us} us and 9 polls, {free.lost} lost"
    assert verdict.control == expected


@pytest.mark.parametrize(
    ("polls", "outcome"),
    [(10, Outcome.PASS), (900, Outcome.PASS), (901, Outcome.FAIL), (0, Outcome.INCONCLUSIVE)],
)
def test_queue_that_waits_is_not_polled_over_and_over(polls: int, outcome: Outcome) -> None:
    assert judge_rest(limited(polls=polls)).outcome is outcome


@pytest.mark.parametrize("free_us", [1_000, 300_000, 5_000_000])
def test_limit_is_chosen_so_that_it_bites_on_a_host_of_any_speed(free_us: int) -> None:
    rate = choose_rate(600_000, free_us)
    trial = replace(
        TRIAL, bytes_per_s=rate.bytes_per_s, burst_bytes=BURST_BYTES + rate.credit_bytes,
        free=replace(FREE, elapsed_us=free_us),
        limited=replace(FREE, elapsed_us=max(800_000, 3 * free_us)),
    )  # fmt: skip

    assert judge_rate(trial).outcome is Outcome.PASS
