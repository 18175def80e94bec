"""The rule of a steady way: a sink that packets are on their way to is never long without one."""

from __future__ import annotations

from xenlab.measure.layouts import Landing, LayoutRun
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
    silences_ms = [sighting.silence_ms for sighting in run.sightings]
    delays_ms = run.host_delays_ms or (None,) * len(silences_ms)
    own_ms = [
        0 if delay is None else silence - delay
        for silence, delay in zip(silences_ms, delays_ms, strict=True)
    ]
    arrived = sum(sighting.landing is not Landing.MISSING for sighting in run.sightings)
    outcome, reasons = Outcome.PASS, []
    if max(own_ms, default=0) > STALL_MS:
        index = own_ms.index(max(own_ms))
        outcome, reasons = Outcome.FAIL, [_tell(run, index, delays_ms[index])]
    elif max(silences_ms, default=0) > STALL_MS:
        index = silences_ms.index(max(silences_ms))
        outcome, reasons = Outcome.INCONCLUSIVE, [_tell(run, index, delays_ms[index])]
    elif arrived <= 1:
        outcome, reasons = Outcome.INCONCLUSIVE, ["no two packets came one after the other"]
    return Verdict(
        rule=NO_STALL,
        subject=subject or run.subject,
        outcome=outcome,
        reasons=tuple(reasons),
        numbers={
            "longest_silence_ms": max(silences_ms, default=0),
            "limit_ms": STALL_MS,
        },
        control=f"{arrived} packets came, each with its time",
    )


def _tell(run: LayoutRun, index: int, delay_ms: int | None) -> str:
    silence_s = run.sightings[index].silence_ms / MILLI
    host = (
        "this host does not tell how long it ran something else"
        if delay_ms is None
        else f"this host ran something else for up to {delay_ms / MILLI:.2f} s meanwhile"
    )
    return (
        f"nothing came to {run.sink} for {silence_s:.2f} s before packet {index},"
        f" `{run.layouts[index]}`; {STALL_MS / MILLI:.2f} s are the most, and {host}"
    )
