"""A base is kept for the next try only where all is well with it, and a cold try uses none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path

import pytest

from tests.unit.verdict.test_comparison import fault, verdict
from xenlab.cli.kept_base import FAULTS, KeptBase
from xenlab.cli.results import Results
from xenlab.cli.sides import Sides
from xenlab.cli.suite_order import SuiteOrder
from xenlab.life.order import UpOrder
from xenlab.measure.contest import BASE
from xenlab.registry.bases import bases_folder
from xenlab.report.progress import open_progress
from xenlab.report.results import SuiteRun
from xenlab.verdict.fault_table import Category
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.side import FaultMark, Side

PASS, SKIP = Outcome.PASS, Outcome.SKIP
RUN = SuiteRun(name="base: smoke on pair", environment={"xen": "4.17"}, verdicts=())
KEPT = KeptBase(key="ab")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def side(*outcomes: Outcome, faults: tuple[FaultMark, ...] = ()) -> Side:
    told = (verdict(outcome, f"link {number}") for number, outcome in enumerate(outcomes))
    return Side(verdicts=tuple(told), faults=faults)


@pytest.mark.parametrize("outcomes", [(PASS,), (PASS, SKIP)])
def test_base_in_which_all_is_well_is_kept_whole(outcomes: tuple[Outcome, ...]) -> None:
    disabled = replace(fault("dom0", Outcome.FAIL), category=Category.VIF_DISABLED)
    well = side(*outcomes, faults=(disabled,))

    assert KEPT.keep(RUN, well)
    known = KEPT.read()
    assert known is not None
    run, faults = known
    assert (run.verdicts, faults, run.name) == (well.verdicts, (disabled,), RUN.name)
    assert set(run.environment) == {"xen", "measured"}


@pytest.mark.parametrize(
    "unsound",
    [
        side(PASS, Outcome.FAIL),
        side(PASS, Outcome.CRASH),
        side(PASS, Outcome.INCONCLUSIVE),
        side(PASS, Outcome.LAB_ERROR),
        side(PASS, faults=(fault("dom0"),)),
        side(PASS, faults=(replace(fault("dom0", Outcome.FAIL), category=Category.WARNING),)),
        side(SKIP),
        side(),
    ],
)
def test_base_that_is_not_sound_is_not_kept_and_excuses_nothing_later(unsound: Side) -> None:
    assert not KEPT.keep(RUN, unsound)
    assert KEPT.read() is None
    assert not bases_folder().exists()


def test_kept_base_that_is_damaged_is_told_and_not_used(capsys: pytest.CaptureFixture[str]) -> None:
    KEPT.keep(RUN, side(PASS))
    (bases_folder() / KEPT.key / FAULTS).write_text("{")

    assert KEPT.read() is None
    assert "the kept base cannot be read, it is run anew" in capsys.readouterr().err


@dataclass(slots=True, kw_only=True)
class Known(Sides):
    """Sides without a lab: a run comes to what is next."""

    comes: list[Side]

    def base_key(self) -> str:
        return KEPT.key

    def run(self, name: str, *_: object, **_more: object) -> Side:
        came = self.comes.pop(0)
        self.results.begin(name, {})
        self.results.note(came.verdicts)
        return came


def run_bases(folder: Path, *comes: Side, cold: bool = False) -> tuple[list[Side], list[Side]]:
    """The bases of as many tries, and what was never run of it."""
    order = SuiteOrder.parse(
        ("smoke",), keyword="", quick=False, plant=None, plant_every=None, repeat=1
    )
    results = Results(folder=folder, command="x", json_path=None, junit_path=None)
    up = UpOrder(topology="pair", cold=cold)
    sides = Known(
        order=order, up=up, results=results, progress=open_progress(StringIO()), comes=list(comes)
    )
    return [sides.run_base() for _each in comes], sides.comes


def test_sound_base_is_run_once(tmp_path: Path) -> None:
    bases, left = run_bases(tmp_path, side(PASS), side(PASS))

    assert bases == [side(PASS)] * 2
    assert left == [side(PASS)]


def test_base_that_failed_once_is_run_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bases, left = run_bases(tmp_path, side(Outcome.FAIL), side(PASS))

    assert (bases, left) == ([side(Outcome.FAIL), side(PASS)], [])
    assert f"{BASE}: not all is well with it" in capsys.readouterr().err


def test_cold_base_is_run_anew_though_one_is_kept(tmp_path: Path) -> None:
    KEPT.keep(RUN, side(PASS))
    _bases, left = run_bases(tmp_path, side(PASS), side(PASS), cold=True)

    assert left == []
