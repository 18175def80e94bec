"""Whose a PCI device is, in Xen's own words; a log that does not tell is no answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from xenlab.errors import MeasurementError
from xenlab.measure.pci_owner import PciOwner, parse_pci_owner

SAID = (Path(__file__).parent / "recorded" / "xen-pci-devices.log").read_text(encoding="utf-8")
NIC = "0000:00:1e.0"
NAMES = {0: "dom0", 1: "netvm"}


def test_recorded_list_names_the_domain_of_each_device() -> None:
    assert parse_pci_owner(SAID, NIC, NAMES) == PciOwner(
        device=NIC, owner="netvm", line="0000:00:1e.0 - d1"
    )
    assert parse_pci_owner(SAID, "0000:00:1d.0", NAMES).owner == "dom0"


@pytest.mark.parametrize(
    ("word", "owner"), [("d0", "dom0"), ("d7", "d7"), ("DomIO:7ff2", "DomIO:7ff2")]
)
def test_last_list_counts_and_what_has_no_name_is_what_xen_calls_it(word: str, owner: str) -> None:
    later = SAID.replace(f"{NIC} - d1", f"{NIC} - {word}")
    assert parse_pci_owner(SAID + later, NIC, NAMES).owner == owner


@pytest.mark.parametrize(
    "said", ["", SAID.replace("1e.0", "1c.0"), SAID.replace("==== PCI devices ====", "")]
)
def test_device_that_xen_does_not_list_is_nobodys_to_say(said: str) -> None:
    with pytest.raises(MeasurementError, match="does not say whose"):
        parse_pci_owner(said, NIC, NAMES)
