"""Rounds of a soak: the same seed gives the same ones, and each can be had alone."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import cast

import pytest

from tests.unit.measure.accounts import way_through
from xenlab.errors import InputError, KernelFault
from xenlab.guest.device_state import Feature
from xenlab.measure.layouts import NO_SILENCE, Form, Landing, LayoutRun, Sighting, Silence
from xenlab.plan.planner import plan_lab
from xenlab.slots.fate import Fate, predict
from xenlab.slots.layout import Checksum
from xenlab.slots.limits import PULL_BYTES, STOCK
from xenlab.topology.loading import load_topology
from xenlab.traffic import soaking
from xenlab.traffic.endurance import Endurance
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.soaking import LAYOUTS, SWITCHES, Round, draw_round, soak_round
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.soak import judge_round, verdict_of_broken_round
from xenlab.verdict.verdict import Verdict

LINKS = plan_lab(load_topology("pair")).links()
GOOD = Verdict(
    rule="no loss", subject="alice -> bob", outcome=Outcome.PASS, numbers={"datagrams": 7},
    control="7 counted",
)  # fmt: skip
LOST = Verdict(rule="no loss", subject="alice -> bob", outcome=Outcome.FAIL, reasons=("1 lost",))
UNSURE = Verdict(rule="in order", subject="alice -> bob", outcome=Outcome.INCONCLUSIVE)


def rounds_of(seed: str, count: int) -> list[Round]:
    endurance = Endurance.parse(seed, None)
    numbers = range(endurance.first_round, endurance.first_round + count)
    return [draw_round(endurance.name(each), endurance.chance(each), LINKS) for each in numbers]


def test_seed_gives_the_same_rounds_and_each_of_them_alone() -> None:
    rounds = rounds_of("7", 20)

    assert rounds == rounds_of("7", 20)
    assert rounds[13] == rounds_of("7:13", 1)[0]
    assert rounds != rounds_of("8", 20)
    assert rounds[13].words.startswith("--seed 7:13, ")
    assert rounds[13].layouts == rounds_of("7:13", 1)[0].layouts


def test_rounds_of_one_seed_come_to_every_link_and_every_setting() -> None:
    rounds = rounds_of("1", 200)

    assert {drawn.link for drawn in rounds} == set(LINKS)
    assert {feature for drawn in rounds for feature in drawn.off} == set(SWITCHES)
    assert {drawn.high_order_off for drawn in rounds} == {False, True}
    assert len({drawn.gso_max_size_bytes for drawn in rounds}) == 3


def test_seed_by_chance_is_another_each_time() -> None:
    assert Endurance.parse(None, None).seed != Endurance.parse(None, None).seed


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("2h", 7200), ("0s", 0), (None, 60)]
)
def test_duration_is_a_number_with_a_unit(text: str | None, seconds: float) -> None:
    assert Endurance.parse("1", text).duration_s == seconds


@pytest.mark.parametrize(
    ("seed", "duration"), [("x", None), ("1:", None), ("-1", None), ("1", "10"), ("1", "1d")]
)
def test_what_is_no_seed_and_no_duration_is_refused(seed: str, duration: str | None) -> None:
    with pytest.raises(InputError, match="should be"):
        Endurance.parse(seed, duration)


def test_model_knows_what_a_round_has_set() -> None:
    """A frontend without scatter-gather drops what has more than one slot."""
    rounds = rounds_of("1", 200)
    scattered = next(drawn for drawn in rounds if Feature.SCATTER in drawn.off)
    plain = next(drawn for drawn in rounds if not drawn.off)
    small = next(drawn for drawn in rounds if drawn.gso_max_size_bytes and not drawn.off)

    assert len(scattered.layouts) == LAYOUTS
    assert not any(layout.gso_size_bytes for layout in scattered.layouts)
    assert any(layout.gso_size_bytes for layout in plain.layouts)
    for drawn in (scattered, small):
        fates = {predict(layout, drawn.limits_on(STOCK)).fate for layout in drawn.layouts}
        assert Fate.DROPPED in fates
        for layout in (drawn.layouts[0], drawn.layouts[-1]):  # a silence is between two
            assert predict(layout, drawn.limits_on(STOCK)).fate is Fate.INTACT
    assert "sg off" in scattered.settings


def test_round_keeps_what_was_set_in_the_lab_before_it() -> None:
    plain = replace(rounds_of("1", 1)[0], off=(), gso_max_size_bytes=0)
    before = replace(STOCK, scatter_gather=False, gso_max_size_bytes=8192)

    assert plain.limits_on(before) == before
    assert replace(plain, gso_max_size_bytes=32768).limits_on(before).gso_max_size_bytes == 32768


def run_of(drawn: Round, listed: int, *, blank: bool, silence: Silence = NO_SILENCE) -> LayoutRun:
    """The first layout of a round, which arrives under all settings, twice: well, then so."""
    layout = drawn.layouts[0]
    form = Form(
        head_bytes=min(layout.length_bytes, PULL_BYTES), gso_size_bytes=0, blank=blank, frags=0,
        listed=listed,
    )  # fmt: skip
    seen = Sighting(landing=Landing.WHOLE, dropped=False, linearised=None, form=form)
    well = replace(seen, form=form._replace(listed=0, blank=True))
    return LayoutRun(
        source="alice", sink="bob", layouts=(layout,) * 2, slots=(1,) * 2,
        fates=(Fate.INTACT,) * 2, sightings=(well, replace(seen, silence=silence)),
        expected=None, counted=None, way=way_through(2), heads_bytes=(form.head_bytes,) * 2,
        frags=(0,) * 2,
    )  # fmt: skip


@pytest.mark.parametrize("off", [(), *((each,) for each in SWITCHES), SWITCHES])
@pytest.mark.parametrize(
    ("listed", "blank", "reason"),
    [
        (0, True, ""),
        (2, True, "came with 2 skbs on a frag_list"),
        (0, False, "came with a checksum that was blank and is none any more"),
    ],
)
def test_form_is_judged_in_a_round_with_features_off_too(
    monkeypatch: pytest.MonkeyPatch, off: tuple[Feature, ...], listed: int, blank: bool, reason: str
) -> None:
    drawn = replace(rounds_of("1", 1)[0], off=off)
    assert drawn.layouts[0].checksum is Checksum.PARTIAL
    told = soak(monkeypatch, drawn, run_of(drawn, listed, blank=blank))

    assert told.outcome is (Outcome.FAIL if reason else Outcome.PASS)
    assert any(each.endswith(reason) for each in told.reasons) == bool(reason)
    assert told.layouts == ((str(drawn.layouts[0]),) if reason else ())
    assert told.numbers["forms_judged"] == 2


def soak(monkeypatch: pytest.MonkeyPatch, drawn: Round, run: LayoutRun) -> Verdict:
    """The verdict of a round whose layouts were seen so; nothing else is sent."""
    for name, answer in {
        "_settings": nullcontext(), "composers_loaded": nullcontext(), "limits_of": STOCK,
        "send_layouts": run, "measure_link": None, "judge_measurement": (),
    }.items():  # fmt: skip
        monkeypatch.setattr(soaking, name, lambda *_a, _answer=answer, **_k: _answer)
    return judge_round(drawn.words, soak_round(cast("LabHandle", None), drawn))


def test_round_in_which_nothing_came_for_two_seconds_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = rounds_of("1", 1)[0]
    stalled = run_of(drawn, 0, blank=True, silence=Silence(silence_ms=2000, host_ms=100))

    told = soak(monkeypatch, drawn, stalled)

    assert told.outcome is Outcome.FAIL
    assert "no stall, alice -> bob: nothing came to bob for 2.00 s" in told.reasons[0]


def test_round_of_passes_passes_and_sums_up_its_numbers() -> None:
    verdict = judge_round("--seed 1:2", (GOOD, GOOD))

    assert (verdict.outcome, verdict.numbers["datagrams"]) == (Outcome.PASS, 14)
    assert verdict.control.startswith("--seed 1:2; ")
    assert verdict.subject == judge_round("--seed 3:4", (LOST,)).subject


def test_round_with_a_failure_fails_by_its_reasons() -> None:
    verdict = judge_round("--seed 1:2", (GOOD, LOST, UNSURE))

    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == (
        "--seed 1:2: no loss, alice -> bob: 1 lost",
        "--seed 1:2: in order, alice -> bob: INCONCLUSIVE",
    )


def test_round_without_a_verdict_says_nothing() -> None:
    assert judge_round("--seed 1:2", ()).outcome is Outcome.INCONCLUSIVE


def test_round_that_broke_is_told_with_its_seed_and_who_crashed() -> None:
    crash = verdict_of_broken_round("--seed 1:2", KernelFault("dom0", "panic", ("it panicked",)))

    assert crash is not None
    assert (crash.outcome, crash.node) == (Outcome.CRASH, "dom0")
    assert all(reason.startswith("--seed 1:2: ") for reason in crash.reasons)
    assert verdict_of_broken_round("--seed 1:2", InputError("a bug")) is None
