"""The rule of the series `counters`: each way in which a driver can count something else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from xenlab.errors import MeasurementError
from xenlab.measure import penalties, probed_slots
from xenlab.measure.observation import Observation, ObservedEnd
from xenlab.measure.penalties import Penalties
from xenlab.measure.readings import Growth, Table, Tally
from xenlab.verdict.driver_counters import judge_backend_counters, judge_frontend_counters
from xenlab.verdict.outcome import Outcome

XMIT = ("xennet_start_xmit",)
FRONT = {f"tx_slots_hist_{slots}": 0 for slots in range(19)} | {
    "tx_linearized": 4, "tx_bounced": 0, "tx_slots_hist_1": 3, "tx_slots_hist_2": 4,
    "tx_slots_hist_more": 0, "tx_packets": 7,
}  # fmt: skip
BACK = {
    "tx_err_slot_limit": 40, "tx_err_slot_size": 0, "tx_err_short": 0, "tx_err_no_memory": 0,
    "tx_err_multicast": 0, "tx_err_grant_copy": 1, "tx_err_grant_map": 0,
}  # fmt: skip


def observed(**changed: int) -> Penalties:
    """Seven packets of one and two slots, four of them linearised, and errors of two kinds."""
    front: dict[str, Table] = {
        probed_slots.FIRST: {("1",): Tally(hits=7)},
        probed_slots.FURTHER: {("2",): Tally(hits=4)},
        penalties.PULLED: {XMIT: Tally(hits=4)},
    }
    back: dict[str, Table] = {
        penalties.RESPONSES: {("-1", "0"): Tally(hits=2), ("-1", "4"): Tally(hits=38)},
        penalties.RELEASES: {("0",): Tally(hits=9), ("-1",): Tally(hits=1)},
    }
    counters = {name: changed.get(name, value) for name, value in (FRONT | BACK).items()}
    alice = Growth(
        node="alice", counters={f"eth0 {name}": counters[name] for name in FRONT}, tables=front,
        missing={},
    )  # fmt: skip
    dom0 = Growth(
        node="dom0", counters={f"vif1.0 {name}": counters[name] for name in BACK}, tables=back,
        missing={},
    )  # fmt: skip
    return Penalties(
        observation=Observation(
            from_end=ObservedEnd(node="alice", device="eth0", vif="vif1.0"),
            to_end=ObservedEnd(node="dom0", device="br-lan", vif=""),
            nodes={"alice": alice, "dom0": dom0},
        )
    )


def test_drivers_that_count_what_probes_see_pass_and_tell_what_there_was() -> None:
    front = judge_frontend_counters(observed(), subject="alice -> dom0")
    back = judge_backend_counters(observed(), subject="alice -> dom0")

    assert (front.outcome, back.outcome) == (Outcome.PASS, Outcome.PASS)
    assert front.control == "tx_linearized 4; tx_slots_hist_1 3; tx_slots_hist_2 4"
    assert back.control == "errors before an skb 40; errors of grants 1"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"tx_linearized": 3}, "tx_linearized: the driver counted 3, and probes saw 4"),
        ({"tx_slots_hist_18": 1}, "tx_slots_hist_18: the driver counted 1, and probes saw 0"),
        ({"tx_slots_hist_more": 1}, "tx_slots_hist_more: the driver counted 1"),
    ],
)
def test_frontend_that_counts_something_else_fails(changed: dict[str, int], reason: str) -> None:
    verdict = judge_frontend_counters(observed(**changed), subject="alice -> dom0")

    assert verdict.outcome is Outcome.FAIL
    assert reason in verdict.reasons[0]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"tx_err_slot_limit": 39}, "errors before an skb: the driver counted 39"),
        ({"tx_err_short": 1}, "errors before an skb: the driver counted 41"),
        ({"tx_err_grant_map": 1}, "errors of grants: the driver counted 2, and probes saw 1"),
    ],
)
def test_backend_that_counts_something_else_fails(changed: dict[str, int], reason: str) -> None:
    verdict = judge_backend_counters(observed(**changed), subject="alice -> dom0")

    assert verdict.outcome is Outcome.FAIL
    assert reason in verdict.reasons[0]


def test_counters_of_nothing_are_inconclusive() -> None:
    verdict = judge_frontend_counters(observed(tx_packets=0), subject="alice -> dom0")

    assert verdict.outcome is Outcome.INCONCLUSIVE


def test_driver_that_does_not_count_is_no_zero() -> None:
    stock = replace(
        observed(),
        observation=replace(
            observed().observation,
            nodes={
                "alice": Growth(node="alice", counters={}, tables={}, missing={}),
                "dom0": Growth(node="dom0", counters={}, tables={}, missing={}),
            },
        ),
    )

    with pytest.raises(MeasurementError):
        judge_backend_counters(stock, subject="alice -> dom0")
