"""A NIC that cannot be what the rest of the file makes of it; see `iommu_rules`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from xenlab.topology import defaults
from xenlab.topology.document import Path, Value
from xenlab.topology.model import Dom0Kind, Iommu, NicModel
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
    if defaults.PEER in _section(root.get("domus")):
        yield ("domus", defaults.PEER), f"{quote(defaults.PEER)} is at the other end of the NIC"


def _find_large_mtu(root: Mapping[str, Value], nic: dict[str, Value]) -> Iterator[tuple[Path, str]]:
    networks = _section(root.get("networks"))
    name = nic.get("network") or next(iter(networks), None)
    mtu = _section(networks.get(str(name))).get("mtu")
    if isinstance(mtu, int) and defaults.E1000E_MTU_MAX_BYTES < mtu <= defaults.MTU_MAX_BYTES:
        yield (
            ("networks", str(name), "mtu"),
            f"{mtu} is above the {defaults.E1000E_MTU_MAX_BYTES} that `e1000e` takes",
        )


def _section(value: Value) -> Mapping[str, Value]:
    return value if isinstance(value, dict) else {}
