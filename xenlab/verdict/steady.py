"""The rule of a steady way: a sink that packets are on their way to is never long without one."""

from __future__ import annotations

from xenlab.measure.layouts import NO_SILENCE, Landing, LayoutRun
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

NO_STALL = "no stall"
# Far above what emulated CPUs need for a packet, and far below the 10 s after which netback drops
# what waits for a guest (rx_drain_timeout_msecs).
STALL_MS = 1000
MILLI = 1000


def judge_steady(run: LayoutRun, *, subject: str = "") -> Verdict:
    """FAIL if nothing came for longer than STALL_MS between two packets of a batch.

    Of a silence, what the host may owe does not count; where it is only that which makes it too
    long the outcome is INCONCLUSIVE. So it is where no silence could be measured: two packets are
    the fewest.
    """
    silences = [sighting.silence for sighting in run.sightings]
    longest = max(silences, key=lambda each: each.silence_ms, default=NO_SILENCE)
    own = max(silences, key=lambda each: each.own_ms, default=NO_SILENCE)
    arrived = sum(sighting.landing is not Landing.MISSING for sighting in run.sightings)
    outcome, reasons = Outcome.PASS, []
    if own.own_ms > STALL_MS:
        outcome, reasons = Outcome.FAIL, [_tell(run, silences.index(own))]
    elif longest.silence_ms > STALL_MS:
        outcome, reasons = Outcome.INCONCLUSIVE, [_tell(run, silences.index(longest))]
    elif arrived <= 1:
        outcome, reasons = Outcome.INCONCLUSIVE, ["no two packets came one after the other"]
    return Verdict(
        rule=NO_STALL,
        subject=subject or run.subject,
        outcome=outcome,
        reasons=tuple(reasons),
        numbers={"longest_silence_ms": longest.silence_ms, "limit_ms": STALL_MS},
        control=f"{arrived} packets came, each with its time",
    )


def _tell(run: LayoutRun, index: int) -> str:
    silence = run.sightings[index].silence
    host = (
        "this host does not tell how long it ran something else"
        if silence.host_ms is None
        else f"up to {silence.host_ms / MILLI:.2f} s of it may be the host's"
    )
    return (
        f"nothing came to {run.sink} for {silence.silence_ms / MILLI:.2f} s before packet {index},"
        f" `{run.layouts[index]}`; {STALL_MS / MILLI:.2f} s are the most, and {host}"
    )
