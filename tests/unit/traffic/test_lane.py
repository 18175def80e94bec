"""What a frontend relocated: its own count where it relocates, and nothing where it does not."""

from __future__ import annotations

import pytest

from xenlab.errors import MeasurementError
from xenlab.kernel.driver import STOCK
from xenlab.measure.observation import Observation, ObservedEnd
from xenlab.measure.readings import Growth
from xenlab.slots.series import COPY, JOINT, NEGOTIATED, REPACK
from xenlab.traffic.lane import count_relocated

COUNTER = "tx_relocated"


def observation(**counters: int) -> Observation:
    named = {f"eth0 {name}": value for name, value in counters.items()}
    return Observation(
        from_end=ObservedEnd(node="alice", device="eth0", vif="vif1.0"),
        to_end=ObservedEnd(node="dom0", device="br-lan", vif=""),
        nodes={"alice": Growth(node="alice", counters=named, tables={}, missing={})},
    )


@pytest.mark.parametrize("netfront", [COPY, REPACK, JOINT.join(("counters", REPACK))])
def test_frontend_that_relocates_and_does_not_count_is_no_zero(netfront: str) -> None:
    with pytest.raises(MeasurementError, match=f"alice did not count eth0 {COUNTER}"):
        count_relocated(observation(tx_packets=3), netfront, COUNTER)

    assert count_relocated(observation(tx_relocated=3), netfront, COUNTER) == 3


@pytest.mark.parametrize("netfront", [STOCK, NEGOTIATED, "my"])
def test_frontend_that_relocates_nothing_has_relocated_nothing(netfront: str) -> None:
    assert count_relocated(observation(tx_packets=3), netfront, COUNTER) == 0


def test_driver_of_any_name_that_counts_is_believed() -> None:
    assert count_relocated(observation(tx_relocated=3), "my", COUNTER) == 3
