"""The shipped smoke suite, run by pytest inside a lab of namespaces, and the same as a proof."""

from __future__ import annotations

from pathlib import Path

import pytest

import xenlab.tests
from tests.integration.traffic.namespace_lab import NamespaceLab
from xenlab.errors import LabError
from xenlab.guest.kernel_log import write_kernel_log
from xenlab.measure.flow_account import FlowAccount
from xenlab.pytest_plugin import LabPlugin, run_suite
from xenlab.traffic.ladder import Extent
from xenlab.traffic.plant import PlantKind
from xenlab.traffic.proof import prove
from xenlab.verdict.outcome import Outcome, combine
from xenlab.verdict.verdict import Verdict
from xenlab.waiting import Deadline

RAISING = """
import pytest
from xenlab.errors import GuestLost, KernelFault, MeasurementError

@pytest.fixture
def broken():
    raise {error}

def test_a(broken):
    pass
"""
SMOKE = Path(xenlab.tests.__file__).parent / "smoke"


def outcome_of(verdicts: list[Verdict]) -> Outcome:
    return combine(verdict.outcome for verdict in verdicts)


def others_than_passed(verdicts: list[Verdict]) -> list[str]:
    return [str(verdict) for verdict in verdicts if verdict.outcome is not Outcome.PASS]


@pytest.mark.parametrize("extent", list(Extent))
def test_smoke_suite_passes_in_a_lab_that_is_all_right(lab: NamespaceLab, extent: Extent) -> None:
    plugin = LabPlugin(lab, extent=extent)
    code = run_suite(plugin, [SMOKE], ["-q"])

    assert (code, plugin.bugs, others_than_passed(plugin.verdicts)) == (0, [], [])
    subjects = {verdict.subject for verdict in plugin.verdicts}
    assert {"console of dom0", "console of alice", "alice eth0"} <= subjects
    runs = 4 if extent is Extent.WHOLE else 1
    assert len([subject for subject in subjects if " -> " in subject]) == 6 * runs
    accounts = [each for each in plugin.exhibits if isinstance(each, FlowAccount)]
    assert {account.subject for account in accounts} <= subjects
    assert len(accounts) == 6 * runs
    assert not any(account.troubled for account in accounts)


def test_proof_has_the_verdicts_of_the_short_form(lab: NamespaceLab) -> None:
    verdicts = list(prove(lab))

    assert others_than_passed(verdicts) == []
    plugin = LabPlugin(lab, extent=Extent.QUICK)
    run_suite(plugin, [SMOKE], ["-q"])
    assert [(verdict.rule, verdict.subject) for verdict in verdicts] == [
        (verdict.rule, verdict.subject) for verdict in plugin.verdicts
    ]


def test_warning_that_was_planted_fails_the_console_of_its_node_and_nothing_else(
    lab: NamespaceLab,
) -> None:
    plugin = LabPlugin(lab, extent=Extent.QUICK, plant=PlantKind.WARN)
    code = run_suite(plugin, [SMOKE], ["-q"])

    assert (code, plugin.bugs, outcome_of(plugin.verdicts)) == (1, [], Outcome.FAIL)
    (failed,) = others_than_passed(plugin.verdicts)
    assert failed.startswith("FAIL console clean, console of bob: kernel warning in bob: WARNING")


def test_panic_on_a_console_is_a_crash_of_that_node(lab: NamespaceLab) -> None:
    panic = ["Kernel panic - not syncing: said by a test"]
    write_kernel_log(lab.shell("alice"), panic, Deadline.after(5))
    verdicts = list(prove(lab))

    assert outcome_of(verdicts) is Outcome.CRASH
    assert [verdict.node for verdict in verdicts if verdict.node] == ["alice"]


def test_counter_tool_that_is_gone_is_an_error_of_the_lab(
    lab: NamespaceLab, tmp_path: Path
) -> None:
    lab.shells["bob"] = type(lab.shells["bob"])(
        where="bob", pid=lab.shells["bob"].pid, programs=tmp_path
    )
    plugin = LabPlugin(lab, extent=Extent.QUICK)
    run_suite(plugin, [SMOKE], ["-q", "-k", "bob and every_packet"])

    assert outcome_of(plugin.verdicts) is Outcome.LAB_ERROR
    assert plugin.bugs == []


@pytest.mark.parametrize(
    ("source", "outcome", "bugs"),
    [
        ("def test_a(): pass\n", Outcome.INCONCLUSIVE, 0),
        ("def test_a(dom0): assert dom0.where == 'bob'\n", Outcome.FAIL, 0),
        (
            RAISING.format(error="MeasurementError('no such counter')"),
            Outcome.INCONCLUSIVE,
            0,
        ),
        (
            RAISING.format(error="GuestLost('bob is gone')"),
            Outcome.LAB_ERROR,
            0,
        ),
        (
            RAISING.format(error="KernelFault('bob', 'f < g', ())"),
            Outcome.CRASH,
            0,
        ),
    ],
)
def test_test_without_a_verdict_never_passes(
    lab: NamespaceLab, tmp_path: Path, source: str, outcome: Outcome, bugs: int
) -> None:
    # Python keeps modules by their names, so each has its own.
    suite = tmp_path / f"test_{tmp_path.name}.py"
    suite.write_text(source)
    plugin = LabPlugin(lab)
    code = run_suite(plugin, [suite], ["-q"])

    assert code == 1
    assert outcome_of(plugin.verdicts) is outcome
    assert len(plugin.bugs) == bugs


def test_suite_of_which_nothing_is_selected_returns_5(lab: NamespaceLab) -> None:
    plugin = LabPlugin(lab)
    assert run_suite(plugin, [SMOKE], ["-q", "-k", "nothing_of_that_name"]) == 5
    assert plugin.verdicts == []


def test_tests_of_several_suites_are_named_by_suite_and_file(
    lab: NamespaceLab, tmp_path: Path
) -> None:
    suites = [tmp_path / "first", tmp_path / "second"]
    for suite in suites:
        suite.mkdir()
        (suite / f"test_{tmp_path.name}_{suite.name}.py").write_text("def test_it(judge): ...")
    plugin = LabPlugin(lab)
    run_suite(plugin, suites, ["-q"])

    assert plugin.done == {
        f"{suite.name}/test_{tmp_path.name}_{suite.name}.py::test_it" for suite in suites
    }


def test_failed_verdict_is_in_the_junit_file(lab: NamespaceLab, tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    plugin = LabPlugin(lab, extent=Extent.QUICK, plant=PlantKind.WARN)
    run_suite(plugin, [SMOKE], ["-q", f"--junitxml={junit}"])
    assert "kernel warning in bob" in junit.read_text()


def test_silence_that_cannot_be_had_is_an_error_of_the_lab(lab: NamespaceLab) -> None:
    class LoudLab(NamespaceLab):
        """A lab that cannot be silenced."""

        def restore_silence(self) -> None:
            raise LabError("bob goes on talking")

    loud = LoudLab(plan=lab.plan, shells=lab.shells, logs=lab.logs)
    plugin = LabPlugin(loud, extent=Extent.QUICK)
    run_suite(plugin, [SMOKE], ["-q"])
    assert outcome_of(plugin.verdicts) is Outcome.LAB_ERROR
