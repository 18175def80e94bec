"""The rule of a steady way: a sink that packets are on their way to is never long without one."""

from __future__ import annotations

from xenlab.measure.layouts import LayoutRun
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

NO_STALL = "no stall"
# Five times the least time after which TCP sends again (TCP_RTO_MIN, include/net/tcp.h), on an
# ordinary machine. netback itself gives a guest 60 s (rx_stall_timeout_msecs).
STALL_S = 1.0
MICRO = 1_000_000


def judge_steady(run: LayoutRun, limit_s: float, *, subject: str = "") -> Verdict:
    """FAIL if nothing came for longer than `limit_s` between two packets of a batch.

    `limit_s` is STALL_S as long as it is on this machine. INCONCLUSIVE where no silence could be
    measured: two packets with their times are the fewest.
    """
    silences_us = [sighting.silence_us for sighting in run.sightings]
    longest_us = max(silences_us, default=0)
    outcome, reasons = Outcome.PASS, []
    if longest_us > limit_s * MICRO:
        index = silences_us.index(longest_us)
        outcome = Outcome.FAIL
        reason = (
            f"nothing came to {run.sink} for {longest_us / MICRO:.2f} s before packet {index},"
            f" `{run.layouts[index]}`; {limit_s:.2f} s are the most"
        )
        reasons = [reason]
    elif not longest_us:
        outcome, reasons = Outcome.INCONCLUSIVE, ["no two packets came one after the other"]
    measured = sum(map(bool, silences_us))
    return Verdict(
        rule=NO_STALL,
        subject=subject or run.subject,
        outcome=outcome,
        reasons=tuple(reasons),
        numbers={"longest_silence_us": longest_us, "limit_us": int(limit_s * MICRO)},
        control=f"{measured} silences between packets measured",
    )
