"""The rule of a steady way: a sink that packets are on their way to is never long without one."""

from __future__ import annotations

from xenlab.measure.layouts import Landing, LayoutRun
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

NO_STALL = "no stall"
# Twice what an emulated domU was seen to need for two large packets on a host with other work, and
# less than the 10 s after which netback drops what waits for a guest (rx_drain_timeout_msecs).
STALL_S = 4.0
MILLI = 1000


def judge_steady(run: LayoutRun, limit_s: float, *, subject: str = "") -> Verdict:
    """FAIL if nothing came for longer than `limit_s` between two packets of a batch.

    `limit_s` is STALL_S as long as it is on this machine. INCONCLUSIVE where no silence could be
    measured: two packets are the fewest.
    """
    silences_ms = [sighting.silence_ms for sighting in run.sightings]
    longest_ms = max(silences_ms, default=0)
    arrived = sum(sighting.landing is not Landing.MISSING for sighting in run.sightings)
    outcome, reasons = Outcome.PASS, []
    if longest_ms > limit_s * MILLI:
        index = silences_ms.index(longest_ms)
        outcome = Outcome.FAIL
        reason = (
            f"nothing came to {run.sink} for {longest_ms / MILLI:.2f} s before packet {index},"
            f" `{run.layouts[index]}`; {limit_s:.2f} s are the most"
        )
        reasons = [reason]
    elif arrived <= 1:
        outcome, reasons = Outcome.INCONCLUSIVE, ["no two packets came one after the other"]
    return Verdict(
        rule=NO_STALL,
        subject=subject or run.subject,
        outcome=outcome,
        reasons=tuple(reasons),
        numbers={"longest_silence_ms": longest_ms, "limit_ms": int(limit_s * MILLI)},
        control=f"{arrived} packets came, each with its time",
    )
