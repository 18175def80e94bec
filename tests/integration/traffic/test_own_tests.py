"""Tests of one's own, as docs/own-tests.md has them, inside a lab of namespaces."""

from __future__ import annotations

from pathlib import Path

from tests.integration.traffic.namespace_lab import NamespaceLab
from tests.unit.house.repository import read_example
from xenlab.pytest_plugin import LabPlugin, run_suite
from xenlab.verdict.outcome import Outcome
from xenlab.waiting import Deadline

PAGE = "docs/own-tests.md"


def run_example(lab: NamespaceLab, folder: Path) -> LabPlugin:
    # Python keeps modules by their names, so each has its own.
    file = folder / f"test_{folder.name}.py"
    file.write_text(read_example(PAGE), encoding="utf-8")
    plugin = LabPlugin(lab)
    run_suite(plugin, [file], ["-q"])
    return plugin


def test_example_of_the_page_passes_on_every_link_and_every_domu(
    lab: NamespaceLab, tmp_path: Path
) -> None:
    plugin = run_example(lab, tmp_path)

    assert plugin.bugs == []
    assert [str(each) for each in plugin.verdicts if each.outcome is not Outcome.PASS] == []
    judged = {(each.rule, each.subject) for each in plugin.verdicts}
    assert {("MTU as planned", "alice eth0"), ("MTU as planned", "bob eth0")} <= judged
    intact = {subject.rsplit(" ", 1)[0] for rule, subject in judged if rule == "payload intact"}
    nodes = ("dom0", "alice", "bob")
    assert intact == {f"{a} -> {b}" for a in nodes for b in nodes if a != b}


def test_what_the_example_asserts_is_a_fail_where_it_does_not_hold(
    lab: NamespaceLab, tmp_path: Path
) -> None:
    narrow = ["ip", "link", "set", "dev", "eth0", "mtu", "1400"]
    lab.shell("bob").run(narrow, deadline=Deadline.after(5)).require_success()
    plugin = run_example(lab, tmp_path)

    failed = {each.subject for each in plugin.verdicts if each.outcome is Outcome.FAIL}
    assert "test_every_vif_has_the_mtu_of_the_plan[bob]" in failed
    assert "test_every_vif_has_the_mtu_of_the_plan[alice]" not in failed


def test_skip_of_pytest_is_no_verdict_and_is_told(lab: NamespaceLab, tmp_path: Path) -> None:
    file = tmp_path / f"test_{tmp_path.name}.py"
    file.write_text("import pytest\ndef test_a(): pytest.skip('no reason')\n", encoding="utf-8")
    plugin = LabPlugin(lab)
    run_suite(plugin, [file], ["-q"])

    assert plugin.verdicts == []
    assert len(plugin.bugs) == 1
