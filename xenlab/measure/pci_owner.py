"""PciOwner: the domain that Xen lets a PCI device do DMA and interrupts for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from xenlab.errors import MeasurementError

# xen/drivers/passthrough/pci.c, _dump_pci_devices: `d1`, or another word for what is no domain's.
_HEAD = "==== PCI devices ===="
_DEVICE = r"\(XEN\) {} - (?P<owner>\S+) - node"
_NUMBER = re.compile(r"d(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PciOwner:
    """A device's address, its domain's name, or else what Xen calls that, and Xen's own words."""

    device: str
    owner: str
    line: str


def parse_pci_owner(said: str, device: str, names: Mapping[int, str]) -> PciOwner:
    """The owner of a device by the last list in what Xen said (debug key `Q`).

    `names` are the domains' by number. Raises MeasurementError where Xen lists no such device.
    """
    _, head, listed = said.rpartition(_HEAD)
    found = re.search(_DEVICE.format(re.escape(device)), listed)
    if not head or found is None:
        raise MeasurementError(f"Xen does not say whose {device} is")
    owner = found["owner"]
    number = _NUMBER.fullmatch(owner)
    return PciOwner(
        device=device,
        owner=names.get(int(number[1]), owner) if number else owner,
        line=f"{device} - {owner}",
    )
