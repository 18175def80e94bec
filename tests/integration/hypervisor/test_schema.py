"""libvirt itself takes the machine's XML, and refuses what is not in its schema (facts 12)."""

from __future__ import annotations

from pathlib import Path

import pytest

from xenlab.errors import LabError
from xenlab.hypervisor.connection import Connection
from xenlab.hypervisor.machine import Machine

ON_EMULATION = ("pair-tcg", "pair-restored", "pair-intel", "pair-amd")


@pytest.mark.parametrize("name", ON_EMULATION)
def test_golden_machine_is_valid(name: str, goldens: Path, connection: Connection) -> None:
    machine = Machine.define(connection, (goldens / f"{name}.xml").read_text())
    try:
        assert machine.state().startswith("shut off")
    finally:
        machine.undefine()


def test_golden_machine_for_kvm_is_refused_for_want_of_kvm_alone(
    goldens: Path, connection: Connection
) -> None:
    """The schema, which comes first, has no objection: with a fault in the XML it has."""
    xml = (goldens / "pair-kvm.xml").read_text()
    with pytest.raises(LabError, match="does not support virt type 'kvm'"):
        Machine.define(connection, xml)
    with pytest.raises(LabError, match="failed to validate against schema"):
        Machine.define(connection, xml.replace("<features>", "<bogus /><features>"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<features>", "<bogus /><features>"),
        ("<on_crash>destroy", "<on_crash>explode"),
        ('<memballoon model="none" />', '<memballoon model="none" colour="red" />'),
    ],
)
def test_what_libvirt_does_not_know_is_refused(
    old: str, new: str, goldens: Path, connection: Connection
) -> None:
    xml = (goldens / "pair-tcg.xml").read_text()
    assert old in xml
    with pytest.raises(LabError, match=r"libvirt refused the machine's XML: .*failed to validate"):
        Machine.define(connection, xml.replace(old, new))
