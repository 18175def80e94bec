"""What does not come back is told; where skbs were freed is shown, and held against nobody."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from xenlab.measure.freed import NAME
from xenlab.measure.observation import Observation, ObservedEnd
from xenlab.measure.readings import Growth, Tally
from xenlab.verdict.observation import judge_observation
from xenlab.verdict.outcome import Outcome
from xenlab.xen.rings import parse_ring

RECORDED = (Path(__file__).parents[1] / "xen/recorded/io_ring_q0.txt").read_text()
FREED: dict[tuple[str, ...], Tally] = {
    ("xenvif_tx_action", "NOT_SPECIFIED"): Tally(hits=3),
    ("net_tx_action", "NOT_SPECIFIED"): Tally(hits=90),
    ("somewhere", "NO_SOCKET"): Tally(hits=2),
}
OBSERVED = Observation(
    from_end=ObservedEnd(node="alice", device="eth0", vif="vif1.0"),
    to_end=ObservedEnd(node="dom0", device="br-lan", vif=""),
    nodes={
        "alice": Growth(node="alice", counters={}, tables={}, missing={NAME: "no tracepoint"}),
        "dom0": Growth(node="dom0", counters={}, tables={NAME: FREED}, missing={}),
    },
    rings=(parse_ring("/sys/kernel/debug/xen-netback/vif1.0/io_ring_q0", RECORDED.splitlines()),),
)


def test_at_rest_passes_and_shows_where_skbs_were_freed() -> None:
    verdict = judge_observation(OBSERVED, subject="alice -> dom0")

    assert (verdict.outcome, verdict.subject) == (Outcome.PASS, "alice -> dom0")
    assert verdict.numbers == {"rings": 1, "dom0_freed_loss": 3, "dom0_freed_unknown": 2}
    assert "3 at xenvif_tx_action (NOT_SPECIFIED): loss" in verdict.control
    assert "2 at somewhere (NO_SOCKET): unknown" in verdict.control
    assert "net_tx_action" not in verdict.control
    assert "no tracepoint" in verdict.control


def test_what_does_not_come_back_fails() -> None:
    verdict = judge_observation(replace(OBSERVED, left="vif1.0: 2 are out"), subject="")

    assert (verdict.outcome, verdict.reasons) == (Outcome.FAIL, ("vif1.0: 2 are out",))


def test_what_a_vif_does_not_tell_is_not_taken_for_rest() -> None:
    untold = replace(OBSERVED, untold="`ethtool -S vif1.0` does not tell tx_zerocopy_sent")

    verdict = judge_observation(untold, subject="")

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.reasons == (f"whether all came back cannot be said: {untold.untold}",)
    left = judge_observation(replace(untold, left="vif2.0: 2 are out"), subject="")
    assert (left.outcome, left.reasons) == (Outcome.FAIL, ("vif2.0: 2 are out",))


def test_without_a_ring_nothing_is_said() -> None:
    assert judge_observation(replace(OBSERVED, rings=()), subject="").outcome is (
        Outcome.INCONCLUSIVE
    )
