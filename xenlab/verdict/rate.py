"""The rules of rate limits: no faster than that, not for ever, and no polling in between."""

from __future__ import annotations

from collections.abc import Iterator

from xenlab.measure.rate import RateTrial
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

RATE_HELD = "rate held"
RESTS = "rests while limited"

# What is sent is longer by its headers than what is counted here; clocks of the two kernels are
# ticks of 4 ms, of which netback rounds down to whole ones (msecs_to_jiffies).
EARLY = 0.9
# A queue is polled once for an event, and an event comes of each packet at most: beside that it is
# polled when its time comes, a handful of times a second. One that spins is polled thousands.
POLLS_PER_PACKET = 3


def judge_rate(trial: RateTrial) -> Verdict:
    """Whether the limit was held and everything arrived; the control is the run without one."""
    limited = trial.limited
    reasons = []
    if limited.lost:
        reasons.append(f"{limited.lost} of {limited.packets} packets did not arrive")
    elif limited.elapsed_us < EARLY * trial.least_us:
        reasons.append(
            f"{limited.payload_bytes} bytes took {limited.elapsed_us} us:"
            f" at this rate they take {trial.least_us:.0f} us at least"
        )
    return _verdict(RATE_HELD, trial, reasons)


def judge_rest(trial: RateTrial) -> Verdict:
    """Whether a queue that waits for credit is left alone until its time comes."""
    limited = trial.limited
    reasons = []
    if limited.polls > POLLS_PER_PACKET * limited.packets:
        reasons.append(
            f"it was polled {limited.polls} times for {limited.packets} packets,"
            f" and {trial.free.polls} times without a limit"
        )
    return _verdict(RESTS, trial, reasons)


def _verdict(rule: str, trial: RateTrial, reasons: list[str]) -> Verdict:
    outcome = Outcome.FAIL if reasons else Outcome.PASS
    doubts = list(_doubts(trial))
    if doubts and outcome is Outcome.PASS:
        outcome, reasons = Outcome.INCONCLUSIVE, doubts
    return Verdict(
        rule=rule,
        subject=trial.subject,
        outcome=outcome,
        reasons=tuple(reasons),
        numbers={
            "packets": trial.limited.packets,
            "payload_bytes": trial.limited.payload_bytes,
            "elapsed_us": trial.limited.elapsed_us,
            "least_us": round(trial.least_us),
            "polls": trial.limited.polls,
        },
        control=(
            f"without a limit {trial.free.elapsed_us} us and {trial.free.polls} polls,"
            f" {trial.free.lost} lost"
        ),
    )


def _doubts(trial: RateTrial) -> Iterator[str]:
    """Why a run under the limit says nothing."""
    if trial.free.lost or not trial.free.packets:
        yield f"{trial.free.lost} of {trial.free.packets} packets were lost without any limit"
    if trial.free.elapsed_us >= EARLY * trial.least_us:
        yield "without a limit the packets take as long as with it: it does not bite"
    if not trial.free.polls or not trial.limited.polls:
        yield "no poll was counted"
