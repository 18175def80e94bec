"""Vigil: DMA that an IOMMU refused is told once, of the time since it was last asked for."""

from __future__ import annotations

from dataclasses import dataclass, field

from xenlab.plan.model import LabPlan
from xenlab.plan.planner import plan_lab
from xenlab.topology.loading import load_topology
from xenlab.traffic.coroner import Coroner
from xenlab.traffic.vigil import Vigil
from xenlab.verdict.console_rule import CONSOLE_CLEAN
from xenlab.verdict.iommu import DMA_ALLOWED
from xenlab.verdict.outcome import Outcome

FAULT = (
    b"(XEN) [VT-D]DMAR:[DMA Read] Request device [0000:00:1e.0] fault addr 1012345000\n"
    b"(XEN) [VT-D]DMAR: reason 06 - PTE Read access is not set\n"
)


@dataclass(slots=True, kw_only=True)
class Consoles:
    """A lab of which there is nothing but what its consoles show."""

    plan: LabPlan
    said: dict[str, bytes] = field(default_factory=dict)
    on_emulated_cpu: bool = True

    def console_bytes(self, node: str, start: int = 0) -> bytes:
        return self.said.get(node, b"")[start:]

    def say(self, text: bytes) -> None:
        self.said["dom0"] = self.said.get("dom0", b"") + text


def watch(said: bytes = b"") -> tuple[Consoles, Coroner]:
    lab = Consoles(plan=plan_lab(load_topology("iommu-i2")), said={"dom0": said})
    vigil = Vigil(lab=lab)  # type: ignore[arg-type]
    vigil.forget()
    return lab, Coroner(lab=lab, vigil=vigil)  # type: ignore[arg-type]


def test_fault_fails_the_test_that_ran_then_and_no_other() -> None:
    lab, coroner = watch()
    assert coroner.examine("first", None) == ()
    lab.say(FAULT)
    (verdict,) = coroner.examine("second", None)
    assert (verdict.rule, verdict.outcome) == (DMA_ALLOWED, Outcome.FAIL)
    assert verdict.subject == "second"
    assert "0000:00:1e.0" in verdict.reasons[0]
    assert coroner.examine("third", None) == ()
    assert coroner.deaths == []


def test_fault_of_before_the_first_test_is_none_of_theirs() -> None:
    _lab, coroner = watch(FAULT)
    assert coroner.examine("first", None) == ()


def test_fault_that_comes_behind_the_last_test_is_told_as_well() -> None:
    lab, coroner = watch()
    coroner.examine("last", None)
    lab.say(FAULT)
    (verdict,) = coroner.judge_warnings([])
    assert verdict.subject == "after the last test"
    assert verdict.outcome is Outcome.FAIL


def test_warning_on_a_console_is_an_alarm_for_no_side_says_that_there_was_none() -> None:
    lab, coroner = watch()
    lab.say(b"[    9.100000] WARNING: CPU: 0 PID: 1 at a.c:1 planted+0x1/0x10\n")
    (verdict,) = coroner.judge_warnings([])
    assert (verdict.rule, verdict.outcome) == (CONSOLE_CLEAN, Outcome.FAIL)
    assert (verdict.alarm, verdict.test) == (True, "")
