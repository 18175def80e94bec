"""`xenlab test`: a good lab passes, and each planted fault is found as what it is."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.lab.conftest import Xenlab
from tests.unit.house.repository import read_example

ONE_LINK = ("--quick", "-k", "alice-bob")
RuleVerdict = tuple[str, str, list[str]]
OWN_TESTS = """
def test_that_holds(dom0, lab, judge):
    assert lab.plan.topology_name == "pair"

def test_that_does_not_hold(lab):
    assert 1 + 1 == 3
"""


def run_tests(xenlab: Xenlab, tmp_path: Path, *words: str) -> tuple[int, dict[str, str]]:
    """The exit code, and the outcome of every rule that did not pass."""
    code, verdicts = run_verdicts(xenlab, tmp_path, *words)
    return code, {rule: outcome for rule, outcome, _ in verdicts if outcome != "PASS"}


def find_trouble(xenlab: Xenlab, tmp_path: Path, *words: str) -> tuple[int, list[RuleVerdict]]:
    """The exit code, and every verdict that did not pass, with why: a failed test shows it."""
    code, verdicts = run_verdicts(xenlab, tmp_path, *words)
    return code, [verdict for verdict in verdicts if verdict[1] != "PASS"]


def run_verdicts(xenlab: Xenlab, tmp_path: Path, *words: str) -> tuple[int, list[RuleVerdict]]:
    """The exit code, and the rule, outcome and reasons of every verdict."""
    path = tmp_path / "out.json"
    done = xenlab.run("test", *words, "--json", str(path))
    document = json.loads(path.read_text())
    assert document["exit_code"] == done.returncode
    return done.returncode, [
        (verdict["rule"], verdict["outcome"], verdict["reasons"])
        for run in document["runs"]
        for verdict in run["verdicts"]
    ]


@pytest.mark.usefixtures("lab")  # its checkpoint; its consoles show what other tests provoked
def test_good_lab_passes_and_says_so_in_every_form(xenlab: Xenlab, tmp_path: Path) -> None:
    junit = tmp_path / "out.xml"
    words = ("smoke", "--quick", "--junit", str(junit))

    assert find_trouble(xenlab, tmp_path, *words) == (0, [])
    (suite,) = ET.fromstring(junit.read_text())  # noqa: S314 (our own)
    assert (suite.get("failures"), suite.get("errors")) == ("0", "0")
    assert int(suite.get("tests", "0")) > 20


@pytest.mark.parametrize(
    ("kind", "rules", "place"),
    [
        ("drop", {"no loss"}, r"loss at dom0 vif\d\.0 qdisc_drops \d+"),
        ("silent-drop", {"no loss"}, r"silent loss between vif\d\.0 and vif\d\.0: .*"),
        ("corrupt", {"payload intact", "no loss"}, r"(damaged packets came|loss).*CsumErrors \d+"),
        ("duplicate", {"no duplicates"}, r"\d+ packets more at vif\d\.0 than at vif\d\.0 .*"),
    ],
)
def test_fault_in_the_path_is_found_by_its_rule_and_gone_afterwards(
    xenlab: Xenlab, lab: str, tmp_path: Path, kind: str, rules: set[str], place: str
) -> None:
    """Reasons name the place and the flows that it hurt, and no other place."""
    code, verdicts = run_verdicts(
        xenlab, tmp_path, "smoke", "--lab", lab, "--plant", kind, *ONE_LINK
    )

    assert code == 1, verdicts
    assert {rule for rule, outcome, _ in verdicts if outcome != "PASS"} == rules
    reasons = [reason for *_, each in verdicts for reason in each]
    others = [reason for reason in reasons if not re.match("(udp|tcp)[46]: ", reason)]
    assert others
    assert [reason for reason in others if not re.fullmatch(place, reason)] == []
    # What is left of it would be counted in the next run: the sink gives up on fragments late.
    assert find_trouble(xenlab, tmp_path, "smoke", "--lab", lab, *ONE_LINK) == (0, [])


def test_report_of_a_run_says_where_its_packets_went(xenlab: Xenlab, lab: str) -> None:
    plant = ("--plant", "silent-drop", "-k", "alice-bob")
    tested = xenlab.run("test", "smoke", "--lab", lab, "--quick", *plant)
    assert tested.returncode == 1
    run = tested.stderr.decode().splitlines()[-1].split()[-1]

    page = Path(xenlab.succeed("report", run).splitlines()[-1]).read_text(encoding="utf-8")

    assert "lost silently between vif" in page
    assert 'class="loss silent"' in page
    assert 'class="way troubled" open' in page
    assert "The whole: " in page


def test_kernel_warning_is_found_on_the_console_in_a_lab_that_goes_with_the_test(
    xenlab: Xenlab, tmp_path: Path
) -> None:
    code, found = run_tests(xenlab, tmp_path, "smoke", "--quick", "--plant", "warn")

    assert (code, found) == (1, {"console clean": "FAIL"})
    assert "test-" not in xenlab.succeed("status")


def test_tests_of_ones_own_fail_by_what_they_assert(
    xenlab: Xenlab, lab: str, tmp_path: Path
) -> None:
    (tmp_path / "test_own.py").write_text(OWN_TESTS)

    code, found = run_tests(xenlab, tmp_path, str(tmp_path / "test_own.py"), "--lab", lab)

    assert code == 1
    assert "FAIL" in found.values()


def test_example_of_the_page_on_ones_own_tests_passes(
    xenlab: Xenlab, lab: str, tmp_path: Path
) -> None:
    file = tmp_path / "test_example.py"
    file.write_text(read_example("docs/own-tests.md"))

    assert find_trouble(xenlab, tmp_path, str(file), "--lab", lab) == (0, [])


def test_file_that_cannot_be_imported_is_the_users_and_no_interruption(
    xenlab: Xenlab, lab: str, tmp_path: Path
) -> None:
    file = tmp_path / "test_own.py"
    file.write_text("import there_is_no_such_module\n")
    done = xenlab.run("test", str(file), "--lab", lab)

    assert done.returncode == 2
    assert b"No module named 'there_is_no_such_module'" in done.stderr
    assert b"interrupted: " not in done.stderr


def test_nothing_selected_is_no_success(xenlab: Xenlab, lab: str, tmp_path: Path) -> None:
    done = xenlab.run("test", "smoke", "--lab", lab, "-k", "no_such_test")

    assert done.returncode == 5


def test_xen_that_panics_before_the_lab_is_up_is_a_result(xenlab: Xenlab, tmp_path: Path) -> None:
    hopeless = tmp_path / "hopeless.yaml"
    hopeless.write_text("xen: {command_line: 'dom0_mem=1M,max:1M'}\ndomus: {alice: {}}\n")

    code, found = run_tests(xenlab, tmp_path, "smoke", "--cold", "--topology", str(hopeless))

    assert (code, found) == (1, {"lab comes up": "CRASH"})
