"""The rule of layouts: each way in which a packet, or a counter, can contradict the model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from xenlab.measure.layouts import Form, Landing, LayoutCounters, LayoutRun, Sighting
from xenlab.slots.boundaries import layouts_of_slots
from xenlab.slots.fate import Fate
from xenlab.slots.layout import Checksum
from xenlab.verdict.layouts import REASONS_MAX, judge_layouts
from xenlab.verdict.outcome import Outcome

(LAYOUT,) = layouts_of_slots(18, 1)
WHOLE = Sighting(landing=Landing.WHOLE, dropped=False, linearised=False)
LINEARISED = replace(WHOLE, linearised=True)
GONE = Sighting(landing=Landing.MISSING, dropped=False, linearised=None)
REFUSED = replace(GONE, dropped=True)
NOTHING = LayoutCounters(
    frontend_tx_packets=0, frontend_tx_dropped=0, vif_rx_packets=0, tx_frag_overflow=0,
    tx_zerocopy_sent=0,
)  # fmt: skip


def run_of(*packets: tuple[Fate, Sighting]) -> LayoutRun:
    return LayoutRun(
        source="alice", sink="dom0", layouts=(LAYOUT,) * len(packets), slots=(18,) * len(packets),
        fates=tuple(fate for fate, _ in packets), sightings=tuple(seen for _, seen in packets),
        expected=NOTHING, counted=NOTHING, vif_drops={"vif2.0": 0},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fate", "seen"),
    [
        (Fate.INTACT, WHOLE),
        (Fate.INTACT, replace(WHOLE, linearised=None)),
        (Fate.BOUNCED, WHOLE),
        (Fate.LINEARISED, LINEARISED),
        (Fate.OVERFLOW, WHOLE),
        (Fate.DROPPED, REFUSED),
        (Fate.LOST, GONE),
        (Fate.VIF_DISABLED, GONE),
    ],
)
def test_fate_that_was_foretold_passes(fate: Fate, seen: Sighting) -> None:
    assert judge_layouts(run_of((fate, seen))).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("fate", "seen", "reason"),
    [
        (Fate.INTACT, GONE, "did not arrive"),
        (Fate.INTACT, LINEARISED, "was linearised"),
        (Fate.LINEARISED, WHOLE, "was not linearised"),
        (Fate.OVERFLOW, GONE, "did not arrive"),
        (Fate.INTACT, REFUSED, "was dropped by its driver"),
        (Fate.DROPPED, WHOLE, "was not dropped"),
        (Fate.DROPPED, GONE, "was not dropped"),
        (Fate.LOST, WHOLE, "and arrived"),
        (Fate.VIF_DISABLED, WHOLE, "and arrived"),
        (Fate.INTACT, replace(WHOLE, landing=Landing.DAMAGED), "arrived damaged"),
        (Fate.INTACT, replace(WHOLE, landing=Landing.DOUBLED), "arrived more than once"),
        (Fate.INTACT, replace(WHOLE, landing=Landing.PARTIAL), "arrived in part"),
    ],
)
def test_other_fate_fails_with_the_layout_to_send_again(
    fate: Fate, seen: Sighting, reason: str
) -> None:
    verdict = judge_layouts(run_of((fate, seen)))

    assert verdict.outcome is Outcome.FAIL
    assert f"`{LAYOUT}` (18 slots) must be {fate}" in verdict.reasons[0]
    assert verdict.reasons[0].endswith(reason)
    assert verdict.numbers["disagreements"] == 1


@pytest.mark.parametrize("name", list(LayoutCounters.__dataclass_fields__))
@pytest.mark.parametrize("by", [-1, 1])
def test_counter_that_lies_by_one_is_named(name: str, by: int) -> None:
    run = replace(run_of((Fate.INTACT, WHOLE)), counted=replace(NOTHING, **{name: by}))
    verdict = judge_layouts(run)

    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == (f"{name} moved by {by}, not 0",)


def test_packets_that_a_vif_refused_are_said_beside_those_that_miss() -> None:
    run = replace(run_of((Fate.INTACT, GONE)), vif_drops={"vif2.0": 1})
    assert any("vif2.0 dropped 1 packets" in reason for reason in judge_layouts(run).reasons)


def test_nothing_sent_says_nothing() -> None:
    assert judge_layouts(run_of()).outcome is Outcome.INCONCLUSIVE


def test_reasons_are_not_without_end() -> None:
    many = 3 * REASONS_MAX
    verdict = judge_layouts(run_of(*[(Fate.INTACT, GONE)] * many))

    assert len(verdict.reasons) == REASONS_MAX + 1
    assert verdict.numbers["disagreements"] == many


def test_control_says_what_the_run_could_have_shown() -> None:
    verdict = judge_layouts(run_of((Fate.INTACT, WHOLE), (Fate.LINEARISED, LINEARISED)))
    assert verdict.control == "18 to 18 slots; 1 intact, 1 linearised"


FORM = Form(
    head_bytes=128, gso_size_bytes=LAYOUT.gso_size_bytes, blank=LAYOUT.checksum is Checksum.PARTIAL
)


def in_form(form: Form, *, heads_bytes: tuple[int, ...] = (128,)) -> LayoutRun:
    run = run_of((Fate.INTACT, replace(WHOLE, form=form)))
    return replace(run, layouts=(LAYOUT,), heads_bytes=heads_bytes)


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        (FORM._replace(head_bytes=64), "came with 64 bytes in its head, not 128"),
        (FORM._replace(gso_size_bytes=7), f"came with a GSO size of 7, not {FORM.gso_size_bytes}"),
        (FORM._replace(blank=False), "came with a checksum that was blank and is none any more"),
    ],
)
def test_packet_that_comes_in_another_form_fails_where_forms_are_predicted(
    form: Form, reason: str
) -> None:
    assert LAYOUT.checksum is Checksum.PARTIAL
    assert judge_layouts(in_form(FORM)).outcome is Outcome.PASS

    verdict = judge_layouts(in_form(form))

    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons[0].endswith(reason)
    assert judge_layouts(in_form(form, heads_bytes=())).outcome is Outcome.PASS


def test_packet_that_its_driver_keeps_fails_although_it_arrived() -> None:
    verdict = judge_layouts(run_of((Fate.INTACT, replace(WHOLE, held=True))))

    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons[0].endswith("was not given back to its sender by its driver")
