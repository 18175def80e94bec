"""A kernel that crashes in a test is its verdict; waits for it end; the rest runs elsewhere."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.integration.traffic.namespace_lab import NamespaceLab
from xenlab.guest.kernel_log import write_kernel_log
from xenlab.pytest_plugin import LabPlugin, run_suite
from xenlab.traffic.vigil import keep_vigil
from xenlab.verdict.outcome import Outcome
from xenlab.waiting import Deadline, wait_until

# As lib/bug.c, arch/x86/mm/fault.c and arch/x86/kernel/dumpstack.c print it.
OOPS = (
    "BUG: kernel NULL pointer dereference, address: 0000000000000010",
    "RIP: 0010:planted+0x1/0x10 [tiny]",
    "Call Trace:",
    " planted_caller+0x2/0x20 [tiny]",
    "---[ end trace 0000000000000000 ]---",
)

HEAD = f"""
from xenlab.errors import CommandFailed
from xenlab.guest.kernel_log import write_kernel_log
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

OOPS = {OOPS!r}
ALIVE = Verdict(rule="alive", subject="it", outcome=Outcome.PASS)

def oops(lab):
    write_kernel_log(lab.shell("bob"), OOPS, lab.budget(10))

def test_first(lab, judge):
    judge(ALIVE)
"""
DIES = """
def test_dies(lab, judge):
    oops(lab)
    {then}

def test_last(lab, judge):
    judge(ALIVE)
"""
CRASH = (
    "oops in bob: BUG: kernel NULL pointer dereference, address: 0000000000000010"
    " [planted < planted_caller]"
)


# The file is called as its folder: a module's name is one in a whole process.
def run(lab: NamespaceLab, folder: Path, then: str, done: set[str] | None = None) -> LabPlugin:
    (folder / f"{folder.name}.py").write_text(HEAD + DIES.format(then=then))
    plugin = LabPlugin(lab, done=done or ())
    run_suite(plugin, [folder / f"{folder.name}.py"], ["-q"])
    assert plugin.bugs == []
    return plugin


@pytest.mark.parametrize(
    ("then", "last_reason"),
    [
        ("judge(ALIVE)", CRASH),
        ("raise CommandFailed('insmod was killed')", "the test ended by it: insmod was killed"),
        ("raise ValueError('a bug of the test')", "the test ended by it: a bug of the test"),
    ],
)
def test_crash_is_the_verdict_however_the_test_ends_and_nothing_more_runs_in_that_lab(
    lab: NamespaceLab, tmp_path: Path, then: str, last_reason: str
) -> None:
    plugin = run(lab, tmp_path, then)

    verdict = plugin.verdicts[-1]
    assert (verdict.outcome, verdict.node, verdict.subject) == (Outcome.CRASH, "bob", "test_dies")
    assert verdict.reasons[0] == CRASH
    assert verdict.reasons[-1] == last_reason
    others = [each.outcome for each in plugin.verdicts[:-1]]
    assert others == [Outcome.PASS] * (2 if "ALIVE" in then else 1)
    assert plugin.unfinished == [f"{tmp_path.name}.py::test_last"]
    assert list(lab.forsaken) == ["bob"]


def test_assertion_that_fails_stays_beside_the_crash(lab: NamespaceLab, tmp_path: Path) -> None:
    plugin = run(lab, tmp_path, "assert not 'a lost packet'")
    outcomes = [each.outcome for each in plugin.verdicts]
    assert outcomes == [Outcome.PASS, Outcome.FAIL, Outcome.CRASH]


def test_rest_runs_in_the_next_lab_and_an_old_crash_is_not_told_again(
    lab: NamespaceLab, tmp_path: Path
) -> None:
    first = run(lab, tmp_path, "judge(ALIVE)")
    rest = run(lab, tmp_path, "judge(ALIVE)", first.done)
    assert [each.outcome for each in rest.verdicts] == [Outcome.PASS]
    assert (rest.unfinished, list(rest.deaths)) == ([], [])


SPOILS = """
import pytest

@pytest.mark.spoils_lab
def test_a(lab, judge):
    judge(ALIVE)

@pytest.mark.spoils_lab
def test_b(lab, judge):
    judge(ALIVE)
"""


def test_test_that_spoils_its_lab_comes_last_and_another_one_waits_for_another_lab(
    lab: NamespaceLab, tmp_path: Path
) -> None:
    suite = tmp_path / f"{tmp_path.name}.py"
    suite.write_text(SPOILS + HEAD.replace("test_first", "test_z"))
    spoiling, other, harmless = (f"{suite.name}::test_{name}" for name in "abz")
    plugin = LabPlugin(lab)
    run_suite(plugin, [suite], ["-q"])

    assert plugin.done == {harmless, spoiling}
    assert plugin.unfinished == [other]
    assert plugin.is_spent
    assert [each.outcome for each in plugin.verdicts] == [Outcome.PASS] * 2

    rest = LabPlugin(lab, done=plugin.done)
    run_suite(rest, [suite], ["-q"])
    assert (rest.unfinished, rest.is_spent, rest.bugs) == ([], True, [])


def test_scene_has_the_report_and_what_dom0_knows(lab: NamespaceLab, tmp_path: Path) -> None:
    plugin = run(lab, tmp_path, "judge(ALIVE)")
    assert plugin.coroner is not None
    scene = plugin.coroner.read_scene()
    assert scene["0-bob.txt"].decode().splitlines() == list(OOPS)
    assert set(scene) > {"xenstore.txt", "dom0-dmesg.txt", "xl-list.txt"}


def test_whoever_waits_for_a_kernel_that_crashed_is_told_before_its_deadline(
    lab: NamespaceLab,
) -> None:
    with keep_vigil(lab):
        started_s = time.monotonic()
        write_kernel_log(lab.shell("bob"), OOPS, Deadline.after(10))
        wait_until(lambda: lab.forsaken or None, "the lab to forsake bob", Deadline.after(10))
        assert time.monotonic() - started_s > 1.0, "its report has time to come"
    assert lab.forsaken["bob"].excerpt == OOPS


def test_warning_ends_nothing_and_fails_the_console_in_the_end(
    lab: NamespaceLab, tmp_path: Path
) -> None:
    warn = "write_kernel_log(lab.shell('bob'), ['WARNING: CPU: 0 PID: 1 at a.c:1'], lab.budget(9))"
    path = tmp_path / f"{tmp_path.name}.py"
    path.write_text(HEAD + DIES.format(then=warn).replace("oops(lab)\n", "judge(ALIVE)\n"))
    plugin = LabPlugin(lab)
    run_suite(plugin, [path], ["-q"])
    assert plugin.unfinished == []
    *fine, last = plugin.verdicts
    assert [each.outcome for each in fine] == [Outcome.PASS] * 3
    assert (last.outcome, last.subject) == (Outcome.FAIL, "console of bob")
    assert last.reasons[0].startswith("kernel warning in bob: WARNING: CPU: 0 PID: 1 at a.c:1")


def test_tests_that_nobody_asked_for_are_not_left_for_another_lab(
    lab: NamespaceLab, tmp_path: Path
) -> None:
    path = tmp_path / f"{tmp_path.name}.py"
    path.write_text(HEAD + DIES.format(then="judge(ALIVE)"))
    plugin = LabPlugin(lab)
    run_suite(plugin, [path], ["-q", "-k", "first"])

    assert (plugin.deaths, plugin.unfinished) == ([], [])
    assert [verdict.subject for verdict in plugin.verdicts] == ["it"]
