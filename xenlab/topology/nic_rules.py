"""A NIC that cannot be what the rest of the file makes of it; see `iommu_rules`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from xenlab.topology import defaults
from xenlab.topology.backend_rules import backends_of
from xenlab.topology.document import Path, Value
from xenlab.topology.model import Dom0Kind, DomUKind, Iommu, NicModel
from xenlab.topology.wording import quote

NIC = ("machine", "nic")
MODEL = (*NIC, "model")


def find_unusable_nic(root: Mapping[str, Value]) -> Iterator[tuple[Path, str]]:
    """The place of each setting that cannot work beside the NIC, and why; nothing without one."""
    machine = _section(root.get("machine"))
    nic = machine.get("nic")
    if not isinstance(nic, dict):
        return
    model = nic.get("model", NicModel.E1000E)
    if model == NicModel.VIRTIO_IOMMU and machine.get("iommu", Iommu.NONE) == Iommu.NONE:
        yield MODEL, "`virtio-iommu` needs an IOMMU: write `machine: {iommu: intel}`"
    if model == NicModel.VIRTIO and _section(root.get("dom0")).get("type") == Dom0Kind.PVH:
        yield (
            MODEL,
            "`virtio` passes the IOMMU by, which a PVH dom0 cannot; write `e1000e`",
        )
    if model == NicModel.E1000E:
        yield from _find_large_mtu(root, nic)
    yield from _find_no_passthrough(root, nic)
    if defaults.PEER in _section(root.get("domus")):
        yield ("domus", defaults.PEER), f"{quote(defaults.PEER)} is at the other end of the NIC"


def _find_large_mtu(root: Mapping[str, Value], nic: dict[str, Value]) -> Iterator[tuple[Path, str]]:
    name = _network_of(root, nic)
    mtu = _section(_section(root.get("networks")).get(name)).get("mtu")
    if isinstance(mtu, int) and defaults.E1000E_MTU_MAX_BYTES < mtu <= defaults.MTU_MAX_BYTES:
        yield (
            ("networks", name, "mtu"),
            f"{mtu} is above the {defaults.E1000E_MTU_MAX_BYTES} that `e1000e` takes",
        )


def _find_no_passthrough(
    root: Mapping[str, Value], nic: dict[str, Value]
) -> Iterator[tuple[Path, str]]:
    """What keeps dom0 from giving the NIC to the domU that is its network's backend.

    Seen with Xen 4.17: xl does not create a PVH domU with a device (libxl_x86.c,
    libxl__arch_passthrough_mode_setdefault), and no PV one either under a PVH dom0, which Xen does
    not tell of the machine's memory map. An HVM one would have the device by way of its QEMU.
    """
    owner = backends_of(root).get(_network_of(root, nic), defaults.BACKEND)
    domus, machine = _section(root.get("domus")), _section(root.get("machine"))
    if owner not in domus:
        return
    given = f"the NIC is passed through to {quote(owner)}"
    if machine.get("iommu", Iommu.NONE) == Iommu.NONE:
        yield NIC, f"{given}, the backend of its network: write `machine: {{iommu: intel}}`"
    if _section(root.get("xen")).get("iommu") in (False, "off"):
        yield ("xen", "iommu"), f"{given}, which takes the IOMMU: leave `off` away"
    if nic.get("model", NicModel.E1000E) != NicModel.E1000E:
        yield MODEL, f"{given}, which only an `e1000e` can be"
    if _section(root.get("dom0")).get("type") == Dom0Kind.PVH:
        yield ("dom0", "type"), f"{given}, which only a PV dom0 can do"
    if _section(domus[owner]).get("type", DomUKind.PV) != DomUKind.PV:
        yield ("domus", owner, "type"), f"{given}, which only a PV domU can take"


def _network_of(root: Mapping[str, Value], nic: dict[str, Value]) -> str:
    """The network that the NIC is on; where none is named, the only one."""
    return str(nic.get("network") or next(iter(_section(root.get("networks"))), ""))


def _section(value: Value) -> Mapping[str, Value]:
    return value if isinstance(value, dict) else {}
