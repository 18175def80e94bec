"""IOMMU settings that contradict each other: what Xen or QEMU would refuse, or not obey.

As in `references`, these look at the values as read; what is malformed has its own problem.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from xenlab.topology import fields
from xenlab.topology.document import Path, Value
from xenlab.topology.model import Dom0Iommu, Dom0Kind, Iommu
from xenlab.topology.plain_rules import boots_xen
from xenlab.topology.wording import quote

MODE = ("dom0", "iommu")
KIND = ("dom0", "type")
REMAPPING = ("machine", "interrupt_remapping")
PASSTHROUGH = ("machine", "iommu_passthrough")


def find_unworkable(root: Mapping[str, Value]) -> Iterator[tuple[Path, str]]:
    """The place of each setting that cannot work beside the others, and why."""
    if not boots_xen(root):
        return  # and then all that these look at is refused
    asked = _Asked.read(root)
    if asked.model == Iommu.NONE and asked.remapping:
        yield REMAPPING, "only an IOMMU remaps interrupts; give the machine `iommu: intel` or `amd`"
    if asked.model != Iommu.INTEL and not asked.passthrough:
        yield PASSTHROUGH, "only `iommu: intel` can be without; elsewhere leave it away"
    lack = asked.lack
    if lack and asked.kind == Dom0Kind.PVH:
        yield KIND, f"a PVH dom0 needs an IOMMU (Xen panics without one), and {lack}"
    if lack and asked.mode is not None:
        yield MODE, f"{quote(asked.mode)} needs an IOMMU, and {lack}"
    yield from _find_impossible_modes(asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What a file says of the IOMMU, in all its sections."""

    model: Value
    remapping: bool
    passthrough: bool
    xen_uses_it: bool
    kind: Value
    mode: Value

    @classmethod
    def read(cls, root: Mapping[str, Value]) -> _Asked:
        machine, xen, dom0 = (_section(root, name) for name in ("machine", "xen", "dom0"))
        return cls(
            model=machine.get("iommu", Iommu.NONE),
            remapping=_switch(machine, "interrupt_remapping", default=False),
            passthrough=_switch(machine, "iommu_passthrough", default=True),
            xen_uses_it=_switch(xen, "iommu", default=True),
            kind=dom0.get("type", Dom0Kind.PV),
            mode=dom0.get("iommu"),
        )

    @property
    def lack(self) -> str:
        """Why Xen has no IOMMU to use; nothing if it has one."""
        if self.model == Iommu.NONE:
            return "the machine has none: write `machine: {iommu: intel}`"
        return "" if self.xen_uses_it else "`xen: {iommu: off}` leaves it alone"


def _find_impossible_modes(asked: _Asked) -> Iterator[tuple[Path, str]]:
    if asked.kind == Dom0Kind.PVH and asked.mode in (Dom0Iommu.RELAXED, Dom0Iommu.PASSTHROUGH):
        # xen/drivers/passthrough/iommu.c, check_hwdom_reqs
        yield MODE, f"{quote(asked.mode)} is for a PV dom0; a PVH dom0 is always strict"
    if asked.mode == Dom0Iommu.PASSTHROUGH and not asked.passthrough:
        yield MODE, "`passthrough` needs an IOMMU with `iommu_passthrough`"


def _section(root: Mapping[str, Value], name: str) -> Mapping[str, Value]:
    section = root.get(name)
    return section if isinstance(section, dict) else {}


def _switch(section: Mapping[str, Value], name: str, *, default: bool) -> bool:
    try:
        return fields.parse_switch(section.get(name, default))
    except ValueError:
        return default
