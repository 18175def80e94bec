"""Rounds of a soak: the same seed gives the same ones, and each can be had alone."""

from __future__ import annotations

import pytest

from xenlab.errors import InputError, KernelFault
from xenlab.guest.device_state import Feature
from xenlab.plan.planner import plan_lab
from xenlab.slots.fate import Fate, predict
from xenlab.slots.limits import STOCK
from xenlab.topology.loading import load_topology
from xenlab.traffic.endurance import Endurance
from xenlab.traffic.soaking import LAYOUTS, SWITCHES, Round, draw_round
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
        assert predict(drawn.layouts[0], drawn.limits_on(STOCK)).fate is Fate.INTACT
    assert "sg off" in scattered.settings


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
