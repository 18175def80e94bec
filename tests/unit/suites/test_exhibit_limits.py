"""Suites mark a histogram with the limits of their lab, and never with those of stock drivers."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest

from tests.unit.house.repository import ROOT, list_files
from xenlab.measure.layout_exhibits import show_run, show_slots
from xenlab.measure.natural import NaturalSlots
from xenlab.measure.slot_histogram import build_histogram, observe_histogram

SUITES = ROOT / "xenlab" / "tests"


def test_no_suite_takes_limits_to_be_stock() -> None:
    files = [path for path in list_files("*.py") if path.is_relative_to(SUITES)]

    assert files
    assert [path.name for path in files if "import STOCK" in path.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize(
    "show",
    [show_run, show_slots, build_histogram, observe_histogram, NaturalSlots.histogram],
)
def test_whoever_shows_a_histogram_has_to_say_its_limits(show: Callable[..., object]) -> None:
    assert inspect.signature(show).parameters["limits"].default is inspect.Parameter.empty
