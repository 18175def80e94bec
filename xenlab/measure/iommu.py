"""IommuEvidence: what Xen's log and dom0 say of the IOMMU that is really at work."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from xenlab.errors import MeasurementError
from xenlab.measure.pci_owner import PciOwner
from xenlab.plan.model import Dom0Iommu, Iommu

# xen/drivers/passthrough/iommu.c, iommu_setup: Xen prints the first whatever it finds, and the
# other two only where it is enabled.
_ENABLED = re.compile(r"I/O virtualisation (?P<able>en|dis)abled")
_MODE = re.compile(r"\s*- Dom0 mode: (?P<mode>Relaxed|Strict|Passthrough)")
_REMAPPING = re.compile(r"Interrupt remapping (?P<able>en|dis)abled")
# xen/drivers/passthrough/vtd/iommu.c, vtd_setup; amd/iommu_init.c, enable_iommu
_DRIVERS: Mapping[Iommu, re.Pattern[str]] = {
    Iommu.INTEL: re.compile(r"Intel VT-d iommu \d+ supported page sizes: "),
    Iommu.AMD: re.compile(r"AMD-Vi: IOMMU \d+ Enabled"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dom0Iommus:
    """What dom0's Linux itself has to do with DMA.

    `groups` counts devices that its own IOMMU drivers hold, whose hardware Xen hides from it;
    `swiotlb_slabs` are what it may bounce DMA by, None where the kernel does not tell.
    """

    groups: int
    swiotlb_slabs: int | None
    swiotlb_slabs_used: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IommuEvidence:
    """What is on; `lines` are Xen's own that say so. `dom0_mode` None: Xen uses no IOMMU.

    `nic` is asked for only where a domU is to have it.
    """

    driver: Iommu
    dom0_mode: Dom0Iommu | None
    interrupt_remapping: bool
    dom0: Dom0Iommus
    lines: tuple[str, ...]
    nic: PciOwner | None = None


def parse_iommu_evidence(xen_lines: Iterable[str], dom0: Dom0Iommus) -> IommuEvidence:
    """The evidence in the lines that Xen wrote since power-on, without their prefix.

    Raises MeasurementError where Xen does not tell: a log that shows less than warnings, or that
    lost its beginning, says nothing of an IOMMU.
    """
    told = [line.rstrip() for line in xen_lines]
    enabled = _find(told, _ENABLED)
    if enabled is None:
        raise MeasurementError("Xen's log does not say whether I/O virtualisation is enabled")
    if enabled["able"] == "dis":
        return IommuEvidence(
            driver=Iommu.NONE, dom0_mode=None, interrupt_remapping=False, dom0=dom0,
            lines=(enabled.string.strip(),),
        )  # fmt: skip
    mode, remapping = _find(told, _MODE), _find(told, _REMAPPING)
    drivers = {model: found for model, row in _DRIVERS.items() if (found := _find(told, row))}
    if mode is None or remapping is None or len(drivers) != 1:
        raise MeasurementError(
            "Xen's log says that I/O virtualisation is enabled, and not by which driver, in which"
            " mode, and whether interrupts are remapped"
        )
    ((driver, first),) = drivers.items()
    return IommuEvidence(
        driver=driver,
        dom0_mode=Dom0Iommu(mode["mode"].lower()),
        interrupt_remapping=remapping["able"] == "en",
        dom0=dom0,
        lines=tuple(each.string.strip() for each in (first, enabled, mode, remapping)),
    )


def _find(lines: Iterable[str], pattern: re.Pattern[str]) -> re.Match[str] | None:
    return next((found for line in lines if (found := pattern.match(line))), None)
