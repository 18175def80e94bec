"""What a patch comes to where one side broke off: both sides' verdicts are those of real suites."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from xenlab.errors import DriverFailed, KernelFault, LabError, MeasurementError
from xenlab.plan.model import LabPlan
from xenlab.plan.planner import plan_lab
from xenlab.pytest_plugin import GIVES_A_VERDICT, Judge, LabPlugin, run_suite
from xenlab.topology.loading import load_topology
from xenlab.traffic.coroner import KERNEL_LIVES
from xenlab.traffic.handle import LabHandle
from xenlab.verdict.comparison import BROKEN_OFF, NOT_REACHED, Comparison, Turn
from xenlab.verdict.iommu import DMA_ALLOWED
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.side import Side
from xenlab.verdict.verdict import Verdict, verdict_of_error

PASS, FAIL, CRASH = Outcome.PASS, Outcome.FAIL, Outcome.CRASH
LAB_ERROR, INCONCLUSIVE, SKIP = Outcome.LAB_ERROR, Outcome.INCONCLUSIVE, Outcome.SKIP
LOSS, UP = "no loss", "lab comes up"
SUITE = """
import pytest

@pytest.mark.parametrize("name", ["first", "middle", "last"])
def test_of(name, lab, judge):
    lab.acts.get(name, lab.usual)(lab, judge)
"""
MIDDLE = "test_of[middle]"
# As arch/x86/mm/fault.c and arch/x86/kernel/dumpstack.c print it.
OOPS = (
    b"[    9.100000] BUG: kernel NULL pointer dereference, address: 0000000000000010\n"
    b"[    9.100000] RIP: 0010:planted+0x1/0x10 [tiny]\n[    9.100000] Call Trace:\n"
    b"[    9.100000]  planted_caller+0x2/0x20 [tiny]\n"
    b"[    9.100000] ---[ end trace 0000000000000000 ]---\n"
)
REFUSED = (
    b"(XEN) [VT-D]DMAR:[DMA Read] Request device [0000:00:1e.0] fault addr 1012345000\n"
    b"(XEN) [VT-D]DMAR: reason 06 - PTE Read access is not set\n"
)


@dataclass(kw_only=True)
class Heard:
    """All that there is of a lab: its consoles, and what its tests are to do."""

    plan: LabPlan
    acts: dict[str, Act]
    on_emulated_cpu: bool = False
    said: dict[str, bytes] = field(default_factory=dict)

    def usual(self, _lab: Heard, judge: Judge) -> None:
        """What a test does of which nothing else is said."""
        judge(Verdict(rule=LOSS, subject="alice -> bob, not the middle", outcome=PASS))

    def console_bytes(self, node: str, start: int = 0) -> bytes:
        return self.said.get(node, b"")[start:]

    def restore_silence(self) -> None:
        """There is nobody who could break it."""

    def forsake(self, node: str, _error: KernelFault) -> None:
        """Nobody waits for it."""

    def vif(self, _domu: str, _index: int) -> str:
        return "vif1.0"

    def debug_files(self, _node: str) -> dict[str, Path]:
        return {}


Act = Callable[[Heard, Judge], None]


def judges(outcome: Outcome) -> Act:
    return lambda _lab, judge: judge(Verdict(rule=LOSS, subject="middle", outcome=outcome))


def raises(error: Exception) -> Act:
    def act(_lab: Heard, _judge: Judge) -> None:
        raise error

    return act


def crashes(lab: Heard, _judge: Judge) -> None:
    lab.said["alice"] = OOPS
    raise LabError("the channel broke")


def gives_up(_lab: Heard, _judge: Judge) -> None:
    pytest.fail("the device is gone")


def reads_beyond(lab: Heard, judge: Judge) -> None:
    lab.said["dom0"] = REFUSED
    judges(PASS)(lab, judge)


ACTS: dict[str, Act] = {
    "passes": judges(PASS),
    "fails": judges(FAIL),
    "skips": judges(SKIP),
    "doubts": judges(INCONCLUSIVE),
    "crashes": crashes,
    "gives up": gives_up,
    "driver fails": raises(DriverFailed("it never connects", phase="")),
    "says nothing": lambda _lab, _judge: None,
    "cannot measure": raises(MeasurementError("no counter")),
    "lab breaks": raises(LabError("the channel broke")),
    "reads beyond": reads_beyond,
}

SideOf = Callable[..., Side]


@pytest.fixture(scope="module")
def side(tmp_path_factory: pytest.TempPathFactory) -> SideOf:
    """What a side comes to whose middle test does so; after a crash the rest has another lab."""
    path = tmp_path_factory.mktemp("suite") / "test_sides.py"
    path.write_text(SUITE)
    plan = plan_lab(load_topology("pair"))
    known: dict[tuple[str, ...], Side] = {}

    def run(middle: str, *options: str) -> Side:
        verdicts: list[Verdict] = []
        done: set[str] = set()
        while True:
            lab = Heard(plan=plan, acts={"middle": ACTS[middle]})
            plugin = LabPlugin(cast(LabHandle, lab), done=done)
            run_suite(plugin, [path], ["-q", *options])
            assert plugin.bugs == []
            verdicts += plugin.verdicts
            done = plugin.done
            if not (plugin.is_spent and plugin.unfinished) or options:
                return Side(verdicts=tuple(verdicts))

    def run_once(*words: str) -> Side:
        return known.get(words) or known.setdefault(words, run(*words))

    return run_once


@pytest.mark.parametrize(
    ("base", "patched", "outcome"),
    [
        ("passes", "passes", PASS),
        ("crashes", "passes", PASS),
        ("gives up", "passes", PASS),
        ("driver fails", "passes", PASS),
        ("reads beyond", "passes", PASS),
        ("cannot measure", "passes", PASS),
        ("says nothing", "passes", PASS),
        ("lab breaks", "passes", LAB_ERROR),
        ("crashes", "fails", INCONCLUSIVE),
        ("gives up", "fails", INCONCLUSIVE),
        ("cannot measure", "fails", INCONCLUSIVE),
        ("says nothing", "fails", INCONCLUSIVE),
        ("lab breaks", "fails", LAB_ERROR),
        ("crashes", "gives up", INCONCLUSIVE),
        ("fails", "gives up", FAIL),
        ("doubts", "gives up", INCONCLUSIVE),
        ("crashes", "crashes", INCONCLUSIVE),
        ("gives up", "crashes", CRASH),
        ("fails", "crashes", CRASH),
        ("cannot measure", "crashes", CRASH),
        ("lab breaks", "crashes", CRASH),
        ("crashes", "skips", INCONCLUSIVE),
        ("crashes", "doubts", INCONCLUSIVE),
        ("crashes", "says nothing", INCONCLUSIVE),
        ("passes", "crashes", CRASH),
        ("passes", "gives up", FAIL),
        ("passes", "reads beyond", FAIL),
        ("passes", "lab breaks", LAB_ERROR),
        ("skips", "gives up", FAIL),
    ],
)
def test_what_ended_a_test_on_one_side_is_beside_the_end_of_it_on_the_other(
    side: SideOf, base: str, patched: str, outcome: Outcome
) -> None:
    comparison = Comparison(base=side(base), patched=side(patched))

    assert comparison.outcome is outcome, list(map(str, comparison.verdicts))


def change_of(comparison: Comparison, rule: str, subject: str) -> tuple[Turn, Verdict]:
    (found,) = [
        change for change in comparison.changes
        if (change.verdict.rule, change.verdict.subject) == (rule, subject)
    ]  # fmt: skip
    return found.turn, found.verdict


@pytest.mark.parametrize(
    ("base", "rule"),
    [
        ("crashes", KERNEL_LIVES),
        ("driver fails", GIVES_A_VERDICT),
        ("reads beyond", DMA_ALLOWED),
    ],
)
def test_what_the_patch_mends_is_better_and_says_by_what_that_is_known(
    side: SideOf, base: str, rule: str
) -> None:
    comparison = Comparison(base=side(base), patched=side("passes"))
    turn, verdict = change_of(comparison, rule, MIDDLE)

    assert turn is Turn.BETTER
    assert verdict.outcome is PASS
    assert "the same test came to its end without it" in verdict.control


def test_failure_where_the_base_broke_off_names_what_broke_it_off(side: SideOf) -> None:
    comparison = Comparison(base=side("crashes"), patched=side("fails"))
    turn, verdict = change_of(comparison, LOSS, "middle")

    assert (turn, verdict.outcome) == (Turn.NEW, INCONCLUSIVE)
    assert verdict.reasons[0] == f"{BROKEN_OFF}: CRASH {KERNEL_LIVES}, {MIDDLE}"


def test_crash_of_the_patch_is_worse_than_a_base_that_came_to_the_end(side: SideOf) -> None:
    comparison = Comparison(base=side("passes"), patched=side("crashes"))

    assert change_of(comparison, KERNEL_LIVES, MIDDLE)[0] is Turn.WORSE


def test_base_that_ended_at_its_first_failure_controls_nothing_behind_it(side: SideOf) -> None:
    base = side("driver fails", "--exitfirst")
    assert len(base.verdicts) == 2
    patched = Side(verdicts=tuple(
        Verdict(rule="payload intact", subject="x", outcome=FAIL, test=each.test)
        if "[last]" in each.test else each for each in side("passes").verdicts
    ))  # fmt: skip
    comparison = Comparison(base=base, patched=patched)

    assert comparison.outcome is INCONCLUSIVE
    assert change_of(comparison, "payload intact", "x")[1].reasons[0].startswith(BROKEN_OFF)


def test_what_a_patched_side_that_ended_early_did_not_reach_is_not_mended(side: SideOf) -> None:
    """The base crashed behind the place where the patched side ended."""
    patched = side("passes")
    early = Side(verdicts=tuple(each for each in patched.verdicts if "[first]" in each.test))
    turn, verdict = change_of(Comparison(base=side("crashes"), patched=early), KERNEL_LIVES, MIDDLE)

    assert (turn, verdict.outcome) == (Turn.GONE, INCONCLUSIVE)
    assert verdict.reasons == (NOT_REACHED,)


def no_lab(error: Exception) -> Side:
    told = verdict_of_error(UP, "pair", error)
    assert told is not None
    return Side(verdicts=(told,))


BROKEN = DriverFailed("it never connects", phase="")
OOPSED = KernelFault("dom0", "oops", ())


@pytest.mark.parametrize(
    ("error", "patched", "outcome"),
    [
        (BROKEN, "passes", PASS),
        (BROKEN, "skips", PASS),
        (BROKEN, "fails", INCONCLUSIVE),
        (BROKEN, "gives up", INCONCLUSIVE),
        (BROKEN, "crashes", CRASH),
        (OOPSED, "passes", PASS),
        (OOPSED, "fails", INCONCLUSIVE),
        (OOPSED, "crashes", CRASH),
        (LabError("no answer"), "passes", LAB_ERROR),
        (LabError("no answer"), "fails", LAB_ERROR),
        (LabError("no answer"), "crashes", CRASH),
    ],
)
def test_base_whose_lab_does_not_come_up_controls_nothing_and_a_patch_that_mends_it_passes(
    side: SideOf, error: Exception, patched: str, outcome: Outcome
) -> None:
    assert Comparison(base=no_lab(error), patched=side(patched)).outcome is outcome


@pytest.mark.parametrize(("error", "outcome"), [(BROKEN, FAIL), (OOPSED, CRASH)])
def test_lab_that_does_not_come_up_with_the_patch_is_worse_than_one_that_does(
    side: SideOf, error: Exception, outcome: Outcome
) -> None:
    comparison = Comparison(base=side("passes"), patched=no_lab(error))

    assert change_of(comparison, UP, "pair")[0] is Turn.WORSE
    assert comparison.outcome is outcome


def test_lab_that_does_not_come_up_on_either_side_says_nothing(side: SideOf) -> None:
    both = Comparison(base=no_lab(BROKEN), patched=no_lab(BROKEN))

    assert both.outcome is INCONCLUSIVE
    assert [change.turn for change in both.changes] == [Turn.SAME]
