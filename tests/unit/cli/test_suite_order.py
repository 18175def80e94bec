"""What tells one order of suites from another: the base of `xenlab try` is kept by it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run
from xenlab.cli.suite_order import SHIPPED, USERS, SuiteOrder
from xenlab.errors import InputError
from xenlab.kernel.driver import DriverKind

SEED = "--seed: only `soak`, `slots`, `fraglist` use it"
DURATION = "--duration: only `soak` uses it"
LAYOUTS = "--layouts: only `slots`, `fraglist` use it"


def order(*words: str, seed: str | None = None, duration: str | None = None) -> SuiteOrder:
    return SuiteOrder.parse(
        words, keyword="", quick=False, plant=None, plant_every=None, repeat=1, seed=seed,
        duration=duration,
    )  # fmt: skip


def test_what_a_soak_draws_by_itself_is_no_other_soaks() -> None:
    assert order("smoke", "soak").chance != order("smoke", "soak").chance
    by_path = str(SHIPPED / "soak/test_soak.py")
    assert order(by_path).chance != order(by_path).chance


def test_soak_of_one_seed_is_another_where_it_lasts_longer() -> None:
    assert order("soak", seed="1").chance == order("soak", seed="1").chance
    assert order("soak", seed="1").chance != order("soak", seed="1", duration="2h").chance


def test_suites_without_chance_are_the_same_each_time_and_another_for_a_seed() -> None:
    assert order("smoke", "slots").chance == order("smoke", "slots").chance
    assert order("slots", seed="1").chance != order("slots").chance


def test_strategies_are_others_where_they_leave_another_driver_loaded() -> None:
    front, back = (frozenset({kind}) for kind in DriverKind)

    chances = {
        replace(order("strategies"), tried=each).chance for each in (frozenset(), front, back)
    }

    assert len(chances) == 3
    assert replace(order("smoke"), tried=front).chance == order("smoke").chance
    own = replace(order("smoke"), paths=(Path("/tmp/test_mine.py"),))
    assert replace(own, tried=front).chance != replace(own, tried=back).chance


@pytest.mark.parametrize(
    ("words", "problems"),
    [
        (("smoke",), (SEED, DURATION, LAYOUTS)),
        (("smoke", "gso"), (SEED, DURATION, LAYOUTS)),
        (("smoke", "soak"), (LAYOUTS,)),
        (("fraglist",), (DURATION,)),
        ((str(SHIPPED / "slots/test_slots.py"),), (DURATION,)),
        (("soak", "slots"), ()),
        (("smoke", __file__), ()),
    ],
)
def test_options_that_no_suite_looks_at_are_refused_and_ones_own_tests_may_look_at_any(
    words: tuple[str, ...], problems: tuple[str, ...]
) -> None:
    if not problems:
        order(*words).require_use_of(USERS)
        return
    with pytest.raises(InputError) as raised:
        order(*words).require_use_of(USERS)
    assert raised.value.problems == problems


def test_only_what_was_typed_has_to_be_of_use(xenlab: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XENLAB_TEST_SEED", "7")

    typed = xenlab("test", "smoke", "--duration", "2h", "--topology", "piar").err
    told = xenlab("test", "smoke", "--topology", "piar").err

    assert typed == f"xenlab: {DURATION}\n"
    assert told.startswith("xenlab: no topology `piar`")
