"""The rule of negotiation, seen to pass, to fail and to be inconclusive."""

from __future__ import annotations

from dataclasses import replace

import pytest

from xenlab.errors import MeasurementError
from xenlab.measure.negotiation import VifEnd, VifNegotiation, XenbusState
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.vif import BACKEND_FEATURES, FRONTEND_FEATURES, judge_negotiation

BACKEND = VifEnd(
    state=XenbusState.CONNECTED,
    keys=dict.fromkeys(BACKEND_FEATURES, "1") | {"multi-queue-max-queues": "2"},
)
FRONTEND = VifEnd(
    state=XenbusState.CONNECTED,
    keys=dict.fromkeys(FRONTEND_FEATURES, "1") | {"multi-queue-num-queues": "2"},
)
GOOD = VifNegotiation(vif="vif1.0", backend=BACKEND, frontend=FRONTEND)


def without(end: VifEnd, key: str) -> VifEnd:
    return replace(end, keys={name: value for name, value in end.keys.items() if name != key})


def test_connected_vif_with_all_features_passes() -> None:
    verdict = judge_negotiation("alice eth0", GOOD, queues=2)
    assert verdict.outcome is Outcome.PASS
    assert verdict.numbers == {"queues": 2, "queues_max": 2}
    assert verdict.control == "read 7 keys of the backend, 7 of the frontend"


def test_end_that_is_closed_fails_by_its_state() -> None:
    closed = replace(GOOD, backend=replace(BACKEND, state=XenbusState.CLOSED))
    verdict = judge_negotiation("alice eth0", closed, queues=None)
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == ("backend of vif1.0 is Closed(6), not Connected(4)",)


def test_backend_that_was_told_of_an_xdp_program_is_connected_all_the_same() -> None:
    again = replace(BACKEND, state=XenbusState.RECONFIGURED)
    told = replace(FRONTEND, keys={**FRONTEND.keys, "xdp-headroom": "0"})
    for frontend, outcome in ((told, Outcome.PASS), (FRONTEND, Outcome.FAIL)):
        vif = VifNegotiation(vif="vif1.0", backend=again, frontend=frontend)
        assert judge_negotiation("alice eth0", vif, queues=None).outcome is outcome


@pytest.mark.parametrize("feature", FRONTEND_FEATURES)
def test_feature_that_the_frontend_does_not_ask_for_fails(feature: str) -> None:
    lacking = replace(GOOD, frontend=without(FRONTEND, feature))
    verdict = judge_negotiation("alice eth0", lacking, queues=None)
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == (f"frontend of vif1.0 has no {feature}",)


@pytest.mark.parametrize("feature", BACKEND_FEATURES)
def test_feature_that_the_backend_has_switched_off_fails(feature: str) -> None:
    off = replace(BACKEND, keys={**BACKEND.keys, feature: "0"})
    verdict = judge_negotiation("alice eth0", replace(GOOD, backend=off), queues=None)
    assert verdict.outcome is Outcome.FAIL


def test_other_number_of_queues_than_asked_for_fails() -> None:
    verdict = judge_negotiation("alice eth0", GOOD, queues=1)
    assert verdict.reasons == ("vif1.0 has 2 queues, not 1",)


def test_frontend_that_writes_no_number_of_queues_has_one() -> None:
    single = replace(GOOD, frontend=without(FRONTEND, "multi-queue-num-queues"))
    assert judge_negotiation("alice eth0", single, queues=1).outcome is Outcome.PASS


def test_one_end_that_is_absent_fails() -> None:
    verdict = judge_negotiation("alice eth0", replace(GOOD, frontend=None), queues=None)
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == ("frontend of vif1.0 is absent from xenstore",)


def test_vif_of_which_nothing_is_known_is_inconclusive() -> None:
    with pytest.raises(MeasurementError, match=r"neither end of vif1\.0"):
        judge_negotiation("alice eth0", replace(GOOD, backend=None, frontend=None), queues=None)


def test_number_of_queues_that_is_no_number_is_inconclusive() -> None:
    odd = replace(FRONTEND, keys={**FRONTEND.keys, "multi-queue-num-queues": "two"})
    with pytest.raises(MeasurementError, match="is 'two'"):
        judge_negotiation("alice eth0", replace(GOOD, frontend=odd), queues=None)
