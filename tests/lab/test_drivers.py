"""A driver under test is built, loaded and proved; one that is another than meant is found out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.conftest import Xenlab
from xenlab.guest.driver import take_up_vifs
from xenlab.kernel.driver import Driver, DriverKind
from xenlab.kernel.module_file import ModuleFile
from xenlab.lab import Lab
from xenlab.life.vif_evidence import VifEvidence
from xenlab.plan.model import DOM0
from xenlab.xen.vif import ATTACH_VIFS, await_vifs

LAB = "patched"
LIMIT = "netfront-slots-limit"
WITH_LIMIT = ("up", "pair", "--lab", LAB, "--no-proof", "--netfront", f"alice={LIMIT}")
PARAMETER = "/sys/module/xen_netfront/parameters/slots_max"
NOTE = "/sys/module/xen_netfront/notes/.note.gnu.build-id"
NETFRONT = "drivers/net/xen-netfront.c"
NETBACK = "drivers/net/xen-netback"

REPLACED = """
from xenlab.guest.driver import read_loaded
from xenlab.kernel.driver import DriverKind
from xenlab.traffic.drivers import netfront_replaced, parameter_set
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

PARAMETER = "/sys/module/xen_netfront/parameters/slots_max"

def read(lab, node):
    return lab.shell(node).read_file(PARAMETER, deadline=lab.budget(20)).strip()

def test_replaced(lab, judge):
    def loaded():
        return read_loaded(lab.shell("bob"), DriverKind.NETFRONT, lab.budget(20)).name

    def ping():
        argv = ["ping", "-c1", "-W10", lab.plan.domu("alice").vifs[0].address4]
        lab.shell("bob").run(argv, deadline=lab.budget(20)).require_success()

    assert loaded() == "stock"
    with netfront_replaced(lab, "bob", "netfront-slots-limit", {"slots_max": "19"}) as driver:
        assert loaded() == driver.build_id
        assert read(lab, "bob") == b"19"
        with parameter_set(lab, "bob", driver, "slots_max", "21"):
            assert read(lab, "bob") == b"21"
        assert read(lab, "bob") == b"19"
        ping()
    assert loaded() == "stock"
    ping()
    judge(Verdict(rule="replaced", subject="bob", outcome=Outcome.PASS, reasons=()))
"""

# bob's insmod loads the kernel's own driver, whatever it is told.
SABOTAGED = """
from xenlab.traffic.drivers import netfront_replaced

SABOTAGE = '''
mv /usr/sbin/insmod /usr/sbin/insmod.real
printf '#!/bin/sh\\\\nexec modprobe xen-netfront\\\\n' > /usr/sbin/insmod
chmod +x /usr/sbin/insmod
'''

def test_sabotaged(lab):
    shell = lab.shell("bob")
    shell.run(["sh", "-c", SABOTAGE], deadline=lab.budget(20)).require_success()
    try:
        with netfront_replaced(lab, "bob", "netfront-slots-limit"):
            raise AssertionError("the wrong driver was taken for the right one")
    finally:
        undo = ["mv", "/usr/sbin/insmod.real", "/usr/sbin/insmod"]
        shell.run(undo, deadline=lab.budget(20)).require_success()
"""


@pytest.fixture(scope="module")
def patched(xenlab: Xenlab) -> Iterator[str]:
    """The name of a lab in which alice has the limit of slots as a parameter."""
    xenlab.succeed(*WITH_LIMIT)
    yield LAB
    xenlab.succeed("down", LAB)


def run_own_test(xenlab: Xenlab, tmp_path: Path, text: str) -> tuple[int, str]:
    """The exit code and all that was said of a test of one's own, in the patched lab."""
    path = tmp_path / "test_own.py"
    path.write_text(text)
    done = xenlab.run("test", str(path), "--lab", LAB)
    return done.returncode, (done.stdout + done.stderr).decode(errors="replace")


def test_one_domu_runs_the_patched_driver_and_the_other_the_stock_one(
    xenlab: Xenlab, patched: str
) -> None:
    drivers = json.loads(xenlab.succeed(*WITH_LIMIT, "--json", "-"))["drivers"]
    labels = dict(drivers)

    for node in ("alice", "bob"):
        name, build_id = labels[node].split()
        note = xenlab.run("exec", f"{patched}/{node}", "--", "cat", NOTE).stdout
        assert name == (LIMIT if node == "alice" else "stock")
        assert note[-20:].hex().startswith(build_id)
    assert xenlab.succeed("exec", f"{patched}/alice", "--", "cat", PARAMETER) == "18\n"
    assert xenlab.run("exec", f"{patched}/bob", "--", "cat", PARAMETER).returncode != 0


@pytest.mark.parametrize(
    ("value", "taken"), [("21", True), ("128", True), ("0", False), ("129", False)]
)
def test_limit_can_be_set_within_what_the_ring_bears(
    xenlab: Xenlab, patched: str, value: str, taken: bool
) -> None:
    script = f"echo {value} > {PARAMETER}"
    done = xenlab.run("exec", f"{patched}/alice", "--", "sh", "-c", script)
    now = xenlab.succeed("exec", f"{patched}/alice", "--", "cat", PARAMETER).strip()

    assert (done.returncode == 0) is taken
    assert (now == value) is taken


def test_lab_with_another_driver_is_another_lab(xenlab: Xenlab, patched: str) -> None:
    done = xenlab.run("up", "pair", "--lab", patched)

    assert done.returncode == 2
    assert b"is up with other drivers" in done.stderr
    refused = xenlab.run("test", "--lab", patched, "--netfront", LIMIT)
    assert refused.returncode == 2
    assert b"is up already, with its drivers" in refused.stderr


def test_driver_is_replaced_inside_a_run_and_put_back(
    xenlab: Xenlab, patched: str, tmp_path: Path
) -> None:
    code, said = run_own_test(xenlab, tmp_path, REPLACED)

    assert code == 0, said


def test_driver_that_is_not_the_one_that_was_meant_is_an_error_of_the_lab(
    xenlab: Xenlab, patched: str, tmp_path: Path
) -> None:
    code, said = run_own_test(xenlab, tmp_path, SABOTAGED)

    assert code == 6, said
    assert "LAB_ERROR" in said
    assert "bob runs another xen_netfront than it was told to" in said


def test_lab_with_a_patched_driver_comes_back_from_its_own_checkpoint(
    xenlab: Xenlab, patched: str
) -> None:
    xenlab.succeed("down", patched)

    again = json.loads(xenlab.succeed(*WITH_LIMIT, "--json", "-"))

    assert again["origin"] == "connected checkpoint"
    assert dict(again["drivers"])["alice"].startswith(LIMIT)
    assert xenlab.succeed("exec", f"{patched}/alice", "--", "cat", PARAMETER) == "18\n"


def test_driver_that_does_not_load_fails_with_the_states_and_spares_the_checkpoint(
    xenlab: Xenlab, lab: str, tmp_path: Path
) -> None:
    patch = tmp_path / "0001-refuse.patch"
    patch.write_text(
        f"--- a/{NETFRONT}\n+++ b/{NETFRONT}\n"
        "@@ -2701,5 +2701,5 @@ static int __init netif_init(void)\n"
        " \tif (!xen_has_pv_nic_devices())\n"
        "-\t\treturn -ENODEV;\n"
        "+\t\treturn -EPERM;\n"
        " \n"
        '-\tpr_info("Initialising Xen virtual ethernet driver\\n");\n'
        "+\treturn -EPERM;\n"
        " \n"
    )
    done = xenlab.run("up", "pair", "--lab", "broken", "--netfront", f"alice={patch}")
    said = done.stderr.decode(errors="replace")

    assert done.returncode == 1, said
    assert "could not insert module" in said
    assert re.search(r"alice eth0 \(vif\d+\.0\): frontend \w+\(\d\), backend InitWait\(2\)", said)
    assert "checkpoint thrown away" not in said
    assert "broken" not in xenlab.succeed("status")


REFUSING = (
    "--- a/DRIVER/netback.c\n+++ b/DRIVER/netback.c\n"
    "@@ -1754,5 +1754,5 @@ static int __init netback_init(void)\n"
    " \tint rc = 0;\n"
    " \n"
    "-\tif (!xen_domain())\n"
    "+\tif (xen_domain())\n"
    " \t\treturn -ENODEV;\n"
    " \n"
)
GIVING_UP = (
    "--- a/DRIVER/xenbus.c\n+++ b/DRIVER/xenbus.c\n"
    "@@ -1015,5 +1015,5 @@ static int netback_probe(struct xenbus_device *dev,\n"
    " \tstruct backend_info *be = kzalloc(sizeof(*be), GFP_KERNEL);\n"
    " \n"
    "-\tif (!be) {\n"
    "+\tif (be) {\n"
    " \t\txenbus_dev_fatal(dev, -ENOMEM,\n"
    ' \t\t\t\t "allocating backend structure");\n'
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (REFUSING, "could not insert module"),
        (GIVING_UP, r"alice eth0 \(vif\d+\.0\): frontend Initialising\(1\), backend \w+\([1567]\)"),
    ],
)
def test_netback_that_does_not_load_or_gives_up_a_vif_is_to_blame(
    xenlab: Xenlab, lab: str, tmp_path: Path, text: str, said: str
) -> None:
    assert lab == "pair"  # whose checkpoint it left
    patch = tmp_path / "0001-refuse.patch"
    patch.write_text(text.replace("DRIVER", NETBACK))
    done = xenlab.run("up", "pair", "--lab", "broken", "--netback", str(patch))
    told = done.stderr.decode(errors="replace")

    assert done.returncode == 1, told
    assert re.search(said, told)
    assert "broken" not in xenlab.succeed("status")


def test_vif_that_the_toolstack_does_not_attach_is_not_netbacks(
    opened: Lab, tmp_path: Path
) -> None:
    module = ModuleFile(path=tmp_path / "x.ko", name="xen_netback", release="", build_id="aa")
    driver = Driver(kind=DriverKind.NETBACK, name="x", build_id="aa", file=module)
    evidence = VifEvidence(lab=opened, drivers={DOM0: driver})
    dom0, deadline = opened.shell(DOM0), opened.budget(120)
    assert evidence.has_answers
    assert not evidence.misses_any

    dom0.run(["xl", "network-detach", "alice", "0"], deadline=deadline).require_success()
    try:
        assert not evidence.misses_any
    finally:
        dom0.run([ATTACH_VIFS, "alice", "0"], deadline=deadline).require_success()
    take_up_vifs(opened.shell("alice"), deadline)
    await_vifs(dom0, [opened.vif("alice", 0)], deadline)
    opened.restore_silence()
