"""A figure stands by its median: at the aim, within the floor, or short of it."""

from __future__ import annotations

import pytest

from bench.documents import SendingDocument
from bench.figures import (
    COLD,
    COLD_RATIO,
    FIGURES,
    LAYOUTS,
    SENT,
    Figure,
    Outcome,
    Phase,
    Standing,
    choose_figures,
)  # fmt: skip
from bench.model import rate_of_reading, spread_layouts, time_prediction

UP = Figure(name="up", what="up", unit="s", floor=4, aim=1.5)


@pytest.mark.parametrize(
    ("samples", "standing"),
    [
        ((1.5, 9.0, 1.0), Standing.AIM),
        ((1.6, 9.0, 1.0), Standing.FLOOR),
        ((4.0, 4.0, 1.0), Standing.FLOOR),
        ((4.1, 4.1, 1.0), Standing.MISSED),
    ],
)
def test_standing_is_that_of_the_median(samples: tuple[float, ...], standing: Standing) -> None:
    assert Outcome(figure=UP, samples=samples).standing is standing


@pytest.mark.parametrize(
    ("sample", "standing"),
    [
        (1_000_000, Standing.AIM),
        (999_999, Standing.FLOOR),
        (200_000, Standing.FLOOR),
        (199_999, Standing.MISSED),
    ],
)
def test_of_a_rate_more_is_better(sample: float, standing: Standing) -> None:
    assert Outcome(figure=LAYOUTS, samples=(sample,)).standing is standing


def test_prediction_is_timed_on_as_many_layouts_as_asked() -> None:
    columns = spread_layouts(20_001)

    assert len(columns) == 20_001
    assert time_prediction(columns) > 0
    assert rate_of_reading() > 0


def test_costs_name_the_three_longest_phases_longest_first() -> None:
    phases = tuple(
        Phase(name=name, elapsed_s=elapsed_s)
        for name, elapsed_s in (("plan", 0.1), ("boot", 6.4), ("ping", 0.3), ("create", 5.5))
    )
    outcome = Outcome(figure=UP, samples=(12.0,), phases=phases)

    assert outcome.costs == "boot 6.4 s, create 5.5 s, ping 0.3 s"


def test_figures_chosen_by_name_bring_what_they_are_made_of() -> None:
    assert choose_figures(()) == frozenset(FIGURES)
    assert choose_figures(("sent",)) == {SENT}
    assert choose_figures(("cold-ratio",)) == {COLD, COLD_RATIO}


def test_share_is_that_of_the_same_run() -> None:
    document = SendingDocument(layouts_a_second=(3000, 8000), pktgen_a_second=(30_000, 10_000))
    assert document.shares_percent == (10.0, 80.0)
