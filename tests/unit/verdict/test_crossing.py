"""What a cell of a sweep comes to, and what all of them do."""

from __future__ import annotations

import pytest

from xenlab.verdict.crossing import GO_TOGETHER, Crossing, Sweep, Versions
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

HERE = Versions(xen="bookworm", dom0_kernel="trixie", domu_kernel="sid")
THERE = Versions(xen="trixie", dom0_kernel="trixie", domu_kernel="sid")


def verdict(outcome: Outcome, *reasons: str, rule: str = "no loss", node: str = "") -> Verdict:
    return Verdict(rule=rule, subject="a -> b", outcome=outcome, reasons=reasons, node=node)


def crossing(*verdicts: Verdict, versions: Versions = HERE, elapsed_s: float = 2.0) -> Crossing:
    return Crossing.of(versions, verdicts, elapsed_s)


def sweep(*crossings: Crossing) -> Sweep:
    return Sweep(
        xens=("bookworm", "trixie"), dom0_kernels=("bookworm", "trixie"), domu_kernels=("sid",),
        crossings=crossings,
    )  # fmt: skip


def test_cell_without_trouble_is_a_pass_and_has_nothing_to_say() -> None:
    told = crossing(verdict(Outcome.PASS, "all is well"), verdict(Outcome.SKIP, "no such thing"))

    assert (told.outcome, told.label, told.reasons) == (Outcome.PASS, "PASS", ())


def test_cell_that_crashed_names_the_kernel_and_what_its_console_said() -> None:
    died = verdict(Outcome.CRASH, "bob crashed: panic in f", rule="lab comes up", node="bob")
    told = crossing(verdict(Outcome.PASS), verdict(Outcome.FAIL, "lost"), died)

    assert (told.outcome, told.label) == (Outcome.CRASH, "CRASH(bob)")
    assert told.reasons == ("a -> b: lab comes up: bob crashed: panic in f",)


def test_lab_that_broke_is_neither_a_pass_nor_a_failure() -> None:
    told = crossing(verdict(Outcome.PASS), verdict(Outcome.LAB_ERROR, "alice hangs"))

    assert told.outcome is Outcome.LAB_ERROR
    assert told.reasons == ("a -> b: no loss: alice hangs",)


def test_versions_that_make_no_lab_are_inconclusive_and_say_cannot() -> None:
    told = crossing(verdict(Outcome.INCONCLUSIVE, "lacks XEN_NETDEV_FRONTEND", rule=GO_TOGETHER))

    assert (told.outcome, told.label) == (Outcome.INCONCLUSIVE, "cannot")
    assert told.reasons == ("lacks XEN_NETDEV_FRONTEND",)


def test_cell_without_any_verdict_is_inconclusive() -> None:
    told = crossing()

    assert (told.outcome, told.label) == (Outcome.INCONCLUSIVE, "INCONCLUSIVE")
    assert told.reasons == ("no verdict was given",)


@pytest.mark.parametrize(
    ("others", "whole"),
    [
        ([], Outcome.PASS),
        ([Outcome.INCONCLUSIVE], Outcome.INCONCLUSIVE),
        ([Outcome.INCONCLUSIVE, Outcome.FAIL], Outcome.FAIL),
        ([Outcome.FAIL, Outcome.CRASH, Outcome.LAB_ERROR], Outcome.LAB_ERROR),
    ],
)
def test_sweep_is_no_better_than_its_worst_cell(others: list[Outcome], whole: Outcome) -> None:
    cells = [crossing(verdict(each)) for each in (Outcome.PASS, *others)]

    assert sweep(*cells).outcome is whole


def test_sweep_without_cells_is_inconclusive() -> None:
    assert sweep().outcome is Outcome.INCONCLUSIVE


def test_cell_is_found_by_its_versions() -> None:
    there = crossing(verdict(Outcome.FAIL), versions=THERE)

    assert sweep(crossing(), there).find(THERE) is there
    assert sweep(crossing()).find(THERE) is None
