"""Real faults of real kernels: caught, named, fingerprinted, decoded; and the lab goes on.

F7 to F11 of the fault list, and the policy on hangs. Labs come from the checkpoint of `pair`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.conftest import Xenlab
from xenlab.kernel.decoding import decode_trace, name_places
from xenlab.kernel.module_file import ModuleFile
from xenlab.kernel.shelf import find_module
from xenlab.kernel.workshop import open_workshop
from xenlab.lab import Lab
from xenlab.plan.model import DOM0
from xenlab.registry.places import cache_dir
from xenlab.together import on_all
from xenlab.verdict.console import scan_console
from xenlab.verdict.console_fault import ConsoleFault
from xenlab.verdict.fault_table import Category
from xenlab.waiting import Deadline, wait_until

pytestmark = pytest.mark.usefixtures("lab")  # its checkpoint

NAME = "provoked"
LIMIT_S = 60.0
# The least that each detector takes; see kernels/modules/xlfault/README.md.
LIMITS = """
insmod /run/xlfault.ko || exit 1
echo 1 > /proc/sys/kernel/watchdog_thresh
echo 1 > /proc/sys/kernel/hung_task_timeout_secs
echo 3 > /sys/module/rcupdate/parameters/rcu_cpu_stall_timeout
"""
# Each in a shell of its own: the one that writes `oops` or `bug` is killed. RCU looks for stalls
# at the tick, which an idle CPU does without.
PROVOKE = """
while :; do :; done &
for kind; do
    sh -c "echo $kind > /sys/kernel/debug/xlfault"
done
kill $!
"""
# In this order: after an oops Linux looks for no hung task any more.
PROVOKED = ("warn", "atomic", "stall", "spin", "oops", "bug")
# How the fingerprint of each begins. An RCU reader that sleeps is warned of first.
FOUND = {
    (Category.WARNING, "xlfault_warn"),
    (Category.BUG, "xlfault_atomic"),
    (Category.WARNING, "xlfault_stall"),
    (Category.HUNG_TASK, "xlfault_stall"),
    (Category.RCU_STALL, "xlfault_stall"),
    (Category.SOFT_LOCKUP, "xlfault_spin"),
    (Category.OOPS, "xlfault_oops"),
    (Category.BUG, "xlfault_bug"),
}
# On a single CPU RCU waits as well for the one who spins.
SPUN = (Category.RCU_STALL, "xlfault_spin")

# What a kernel would say, said by programs: on both consoles and as the result of a test (F11).
WORDS = """
for console in /dev/console /dev/hvc0; do
    echo 'Kernel panic - not syncing: said by a program' > $console
    echo 'BUG: kernel NULL pointer dereference, address: 0000000000000010' > $console
    echo 'not ok 3 - WARNING: CPU: 0 PID: 1 at net/core/dev.c:1 said/0x1' > $console
    printf '\\033[31mOops: 0002 [#1]\\033[0m\\r\\n\\000\\377' > $console
    echo 'INFO: task sh:1 blocked for more than 9 seconds' > $console
done
"""


@pytest.fixture
def fault_module(xenlab: Xenlab) -> Iterator[tuple[Lab, ModuleFile]]:
    """A lab, and the module that provokes faults."""
    with xenlab.bring_up(NAME) as opened:
        with open_workshop(
            cache_dir(), report=print, offline=False, deadline=Deadline.after(300)
        ) as workshop:
            kernel = opened.plan.kernel(opened.plan.dom0.kernel)
            module = workshop.provide_module(find_module("xlfault"), kernel)
        yield opened, module


def provoke_all(lab: Lab, node: str, module: ModuleFile) -> None:
    shell, deadline = lab.shell(node), lab.budget(LIMIT_S)
    shell.write_file("/run/xlfault.ko", module.path.read_bytes(), deadline=deadline)
    argv = ["sh", "-c", LIMITS + WORDS + PROVOKE, "sh", *PROVOKED]
    shell.run(argv, deadline=deadline).require_success()


def test_every_fault_of_dom0_and_of_a_domu_is_named_and_decoded_and_no_words_are(
    fault_module: tuple[Lab, ModuleFile],
) -> None:
    lab, module = fault_module
    nodes = (DOM0, "alice")
    on_all(lambda node: provoke_all(lab, node, module), nodes)

    for node in nodes:
        faults = scan_console(node, lab.console_bytes(node))
        assert {fault.node for fault in faults} == {node}
        assert {fault.category for fault in faults} == {category for category, _ in FOUND}
        ours = [fault for fault in faults if first_of_ours(fault)]
        for fault in ours:
            places = list(name_places(decode(fault, module)))
            assert places[0].startswith(f"{first_of_ours(fault)} at xlfault.c:")
            assert all(" at xlfault.c:" in place for place in places)
        told = {(fault.category, first_of_ours(fault)) for fault in ours}
        # The two CPUs of dom0 report at the same time: some frames are then the other's.
        assert len(told & FOUND) >= len(FOUND) - (2 if node == DOM0 else 0)
        if node != DOM0:
            assert told - FOUND <= {SPUN}
    panic_xen(lab)


def panic_xen(lab: Lab) -> None:
    """By an NMI, which dom0 need not be asked for."""
    start = len(lab.console_bytes(DOM0))
    lab.send_nmi()

    def find() -> ConsoleFault | None:
        """Written down to its end."""
        faults = scan_console(DOM0, lab.console_bytes(DOM0, start))
        of_xen = (fault for fault in faults if fault.node == "xen")
        return next((fault for fault in of_xen if fault.headline.endswith("]")), None)

    fault = wait_until(find, "Xen to end", lab.budget(LIMIT_S))
    assert fault.category is Category.XEN_PANIC
    assert fault.headline == "Panic on CPU 0: FATAL TRAP: vec 2, NMI[0000]"
    assert any("cr3: " in line for line in fault.excerpt), "its registers"


def first_of_ours(fault: ConsoleFault) -> str:
    return next((frame for frame in fault.fingerprint if frame.startswith("xlfault_")), "")


def decode(fault: ConsoleFault, module: ModuleFile) -> tuple[str, ...]:
    files = {module.name: module.debug_path}
    return decode_trace(fault.excerpt, files, Deadline.after(LIMIT_S))


DYING = """
import pytest
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict
from xenlab.waiting import Deadline

def alive(lab, node, judge):
    assert lab.shell(node).run(["true"], deadline=lab.budget(20)).status == 0
    judge(Verdict(rule="alive", subject=node, outcome=Outcome.PASS))

@pytest.mark.parametrize("who", ["bob", "dom0"])
def test_panic(lab, judge, who):
    argv = ["sh", "-c", "echo c > /proc/sysrq-trigger"]
    lab.shell(who).run(argv, deadline=Deadline.after(300))

def test_alice_is_deaf(lab, judge):
    alice = lab.shell("alice")
    alice.write_file("/run/xlfault.ko", open({module!r}, "rb").read(), deadline=lab.budget(20))
    alice.run(["insmod", "/run/xlfault.ko"], deadline=lab.budget(20)).require_success()
    alice.run(["sh", "-c", "echo deaf > /sys/kernel/debug/xlfault"], deadline=lab.budget(2))

def test_words(lab, judge):
    lab.shell("alice").run(["sh", "-c", {words!r}], deadline=lab.budget(20)).require_success()
    alive(lab, "alice", judge)
"""


def test_crash_and_hang_of_each_kernel_is_a_verdict_and_the_rest_runs_in_the_next_lab(
    xenlab: Xenlab, tmp_path: Path, fault_module: tuple[Lab, ModuleFile]
) -> None:
    module = str(fault_module[1].path)
    xenlab.succeed("down", NAME)
    text = DYING.replace("{module!r}", repr(module)).replace("{words!r}", repr(WORDS))
    (tmp_path / "test_dying.py").write_text(text)
    words = ("--lab", NAME, "--topology", "pair", "--json", "-")
    done = xenlab.run("test", str(tmp_path / "test_dying.py"), *words)

    said = done.stderr.decode(errors="replace")
    assert done.returncode == 1, said
    document = json.loads(done.stdout)
    verdicts = [each for run in document["runs"] for each in run["verdicts"]]
    assert [(each["subject"], each["outcome"], each["node"]) for each in verdicts] == [
        ("test_panic[bob]", "CRASH", "bob"),
        ("test_panic[dom0]", "CRASH", "dom0"),
        ("test_alice_is_deaf", "CRASH", "alice"),
        ("alice", "PASS", ""),
    ], said
    bob, dom0, deaf, _ = (" ".join(each["reasons"]) for each in verdicts)
    assert "sysrq triggered crash [write_sysrq_trigger < " in bob
    assert "sysrq triggered crash [write_sysrq_trigger < " in dom0
    assert "takes no sysrq, while dom0 answers" in deaf
    assert "Xen finds it running at e033:" in deaf
    check_scenes(xenlab)


def check_scenes(xenlab: Xenlab) -> None:
    """What is left of a domU's panic, and of dom0's."""
    (folder,) = (path for path in (xenlab.state / "runs").glob("*/crashes"))
    bob, dom0, _alice = sorted(folder.iterdir())
    assert "sysrq_handle_crash" in (bob / "0-bob.txt").read_text()
    assert "/local/domain/1/name" in (bob / "xenstore.txt").read_text()
    assert "Linux version" in (bob / "dom0-dmesg.txt").read_text()
    assert "sysrq_handle_crash" in (dom0 / "0-dom0.txt").read_text()
    assert "dom0 could not be asked" in (dom0 / "xenstore.txt").read_text()


# The backend is new, and has no vif yet.
OOPS = """\
--- a/drivers/net/xen-netback/xenbus.c
+++ b/drivers/net/xen-netback/xenbus.c
@@ -1023,4 +1023,5 @@
 \tbe->dev = dev;
 \tdev_set_drvdata(&dev->dev, be);
+\tbe->vif->can_sg = 1;

 \tsg = 1;
"""


def test_oops_of_a_driver_under_test_is_told_with_its_line_when_the_lab_comes_up(
    xenlab: Xenlab, tmp_path: Path
) -> None:
    (tmp_path / "oops.patch").write_text(OOPS)
    done = xenlab.run("up", "pair", "--lab", NAME, "--netback", str(tmp_path / "oops.patch"))

    said = done.stderr.decode(errors="replace")
    assert done.returncode == 1, said
    assert "dom0 crashed: oops: BUG: kernel NULL pointer dereference" in said
    assert "[netback_probe < " in said
    assert " at xenbus.c:1025" in said
