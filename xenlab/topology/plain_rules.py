"""A machine that boots Linux without Xen: what may be said of it, and what may not.

It is the control of a wire: the machine, NIC, kernel and root image of a run with Xen, at the same
wire. As in `references`, these look at the values as read; what is malformed has its own problem.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from xenlab.topology import fields
from xenlab.topology.document import Path, Value
from xenlab.topology.wording import quote

BOOT = ("xen", "boot")
# What Xen, and nobody else, is told or makes of a machine.
OF_XEN = {
    "machine": ("iommu", "interrupt_remapping", "iommu_passthrough"),
    "xen": ("command_line", "iommu"),
    "dom0": ("vcpus", "memory", "type", "iommu", "forwarding"),
}


def boots_xen(root: Mapping[str, Value]) -> bool:
    """Whether the machine boots Xen, as it does unless the file says otherwise."""
    try:
        return fields.parse_switch(_section(root.get("xen")).get("boot", True))
    except ValueError:
        return True


def find_impossible_without_xen(root: Mapping[str, Value]) -> Iterator[tuple[Path, str]]:
    """The place of each setting that needs Xen, where there is none, and why."""
    if boots_xen(root):
        if root.get("domus") == {}:
            yield ("domus",), "at least one is needed; only `xen: {boot: off}` goes without"
        return
    for name in _section(root.get("domus")):
        yield ("domus", name), "only Xen has domUs: write `domus: {}` beside `xen: {boot: off}`"
    machine = _section(root.get("machine"))
    if machine.get("nic") is None and machine.get("ssh") is None:
        yield BOOT, "nothing is sent without Xen but to the peer: write `machine: {nic: {}}`"
    for section, keys in OF_XEN.items():
        for key in keys:
            if key in _section(root.get(section)):
                yield (section, key), f"{quote(key)} needs Xen, and `xen: {{boot: off}}` boots none"


def _section(value: Value) -> Mapping[str, Value]:
    return value if isinstance(value, dict) else {}
