"""The evidence of an IOMMU, in logs of Xen as they came; a log that does not tell is not a no."""

from __future__ import annotations

from pathlib import Path

import pytest

from xenlab.errors import MeasurementError
from xenlab.measure.iommu import Dom0Iommus, IommuEvidence, parse_iommu_evidence
from xenlab.plan.model import Dom0Iommu, Iommu

RECORDED = Path(__file__).parent / "recorded"
DOM0 = Dom0Iommus(groups=0, swiotlb_slabs=32768, swiotlb_slabs_used=0)


def lines_of(name: str) -> list[str]:
    text = (RECORDED / f"xen-{name}.log").read_text(encoding="utf-8", errors="replace")
    return [line.removeprefix("(XEN) ") for line in text.splitlines() if line.startswith("(XEN)")]


@pytest.mark.parametrize(
    ("name", "driver", "mode", "remapping"),
    [
        ("intel-relaxed", Iommu.INTEL, Dom0Iommu.RELAXED, False),
        ("intel-strict", Iommu.INTEL, Dom0Iommu.STRICT, False),
        ("intel-passthrough", Iommu.INTEL, Dom0Iommu.PASSTHROUGH, False),
        ("intel-pvh", Iommu.INTEL, Dom0Iommu.STRICT, False),
        ("intel-remapping", Iommu.INTEL, Dom0Iommu.RELAXED, True),
        ("amd-remapping", Iommu.AMD, Dom0Iommu.RELAXED, True),
    ],
)
def test_recorded_logs(name: str, driver: Iommu, mode: Dom0Iommu, *, remapping: bool) -> None:
    evidence = parse_iommu_evidence(lines_of(name), DOM0)
    assert (evidence.driver, evidence.dom0_mode) == (driver, mode)
    assert evidence.interrupt_remapping is remapping
    assert evidence.dom0 == DOM0
    assert "I/O virtualisation enabled" in evidence.lines
    assert f"- Dom0 mode: {mode.value.capitalize()}" in evidence.lines


def test_disabled_is_told_as_such() -> None:
    assert parse_iommu_evidence(lines_of("intel-off"), DOM0) == IommuEvidence(
        driver=Iommu.NONE,
        dom0_mode=None,
        interrupt_remapping=False,
        dom0=DOM0,
        lines=("I/O virtualisation disabled",),
    )


@pytest.mark.parametrize(
    "kept",
    [
        "Brought up 2 CPUs",
        "I/O virtualisation enabled",
        "I/O virtualisation enabled\n - Dom0 mode: Strict",
        "I/O virtualisation enabled\n - Dom0 mode: Lax\nInterrupt remapping enabled",
        "I/O virtualisation enabled\n - Dom0 mode: Strict\nInterrupt remapping enabled",
    ],
)
def test_a_log_that_does_not_tell_is_no_evidence(kept: str) -> None:
    with pytest.raises(MeasurementError, match="Xen's log"):
        parse_iommu_evidence(kept.splitlines(), DOM0)
