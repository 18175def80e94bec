"""`up --dry-run` shows the plan and touches nothing."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run


def test_plan_is_shown_with_its_command_lines_and_the_argv_of_qemu(xenlab: Run) -> None:
    said = xenlab("up", "--dry-run")

    assert said.code == 0
    assert "lab pair (topology pair) would be:" in said.out
    assert "alice: console=hvc0" in said.out
    assert said.out.splitlines()[-1].startswith("qemu-system-x86_64 -machine q35")


def test_outside_peer_is_shown_with_what_it_boots(xenlab: Run) -> None:
    said = xenlab("up", "uplink", "--dry-run").out

    assert "uplink to the e1000e on lan 10.77.1.11" in said
    assert "peer: console=ttyS0" in said


def test_machine_without_xen_is_shown_with_what_it_boots(xenlab: Run, home: Path) -> None:
    said = xenlab("up", "uplink-no-xen", "--dry-run").out

    assert "dom0  no Xen " in said
    assert "no Xen, accelerator" in said
    assert "xen: console" not in said
    assert "dom0: console=ttyS0" in said
    assert "multiboot" not in said
    assert " -append 'console=ttyS0" in said.splitlines()[-1]
    refused = xenlab("up", "uplink-no-xen", "--dry-run", "--bundle", str(home / "bundle"))
    assert refused.code == 2
    assert "without Xen and the peer it sends nothing" in refused.err


def test_document_has_the_plan_the_xml_and_the_argv(xenlab: Run) -> None:
    document = json.loads(xenlab("up", "quad", "--dry-run", "--json", "-", "--lab", "mine").out)

    assert document["schema_version"] == 1
    assert document["lab"] == "mine"
    assert len(document["plan"]["domus"]) == 4
    xml = ET.fromstring(document["xml"])  # noqa: S314 (our own)
    assert xml.findtext("name") == "xenlab-mine"
    assert document["argv"][0] == "qemu-system-x86_64"


def test_nothing_is_touched(xenlab: Run, home: Path) -> None:
    xenlab("up", "--dry-run")

    assert [path for path in home.rglob("*") if path.is_file()] == []


def test_bundle_folder_that_qemu_could_not_read_is_refused(xenlab: Run, home: Path) -> None:
    said = xenlab("up", "--dry-run", "--bundle", str(home / "a b"))

    assert said.code == 2
    assert "blanks and commas" in said.err


def test_drivers_under_test_are_shown_with_their_nodes(xenlab: Run) -> None:
    words = ("up", "--dry-run", "--netfront", "alice=netfront-slots-limit")
    document = json.loads(xenlab(*words, "--json", "-").out)
    lines = xenlab(*words).out.splitlines()

    assert document["drivers"] == {
        "dom0": "stock", "alice": "netfront-slots-limit", "bob": "stock"
    }  # fmt: skip
    (alice,) = [line for line in lines if line.startswith("alice  ")]
    assert "netfront-slots-limit" in alice


def test_bundle_cannot_hold_drivers_that_are_loaded_after_the_boot(xenlab: Run, home: Path) -> None:
    words = ("up", "--dry-run", "--netfront", "netfront-slots-limit")
    said = xenlab(*words, "--bundle", str(home / "bundle"))

    assert said.code == 2
    assert not (home / "bundle").exists()


def test_driver_that_is_nowhere_is_refused(xenlab: Run) -> None:
    said = xenlab("up", "--dry-run", "--netback", "nowhere.patch")

    assert said.code == 2
    assert "no such file, folder or series" in said.err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--dom0-kernel", "./nosuch"), "/project/nosuch: no such folder\n"),
        (("--domu-kernel", "~/linux@v6.12"), "/linux: no such folder\n"),
        (("--dom0-kernel", "./no:./modules"), "/project/no: no such file\n"),
        (("--domu-kernel", "sid+./x.patch"), "/project/x.patch: No such file"),
        (
            ("--domu-kernel", "bookworm+debgu"),
            "no patch, series or configuration `debgu`; did you mean `debug`? (series: ",
        ),
        (("./rack.yaml", "--accel", "tcg"), "--accel is for a machine of the lab's own"),
    ],
)
def test_what_up_would_refuse_is_refused(
    xenlab: Run, home: Path, words: tuple[str, ...], why: str
) -> None:
    (home / "project" / "rack.yaml").write_text(
        "machine: {ssh: root@rack7}\nnetworks: {rack: {}}\ndomus: {anna: {}}\n"
    )

    said = xenlab("up", "--dry-run", *words)

    assert (said.code, said.out) == (2, "")
    assert why in said.err
